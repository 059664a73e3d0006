import type { Xof } from '../hashing/stream.xof.js';
import type { ParameterSet } from '../ring/parameter.set.js';
import type { RingElement } from '../ring/ring.element.js';
import { addConstant, addScaledWords, multiplier } from '../ring/word.arithmetic.js';

const ADDENDS = 4;

/** Largest absolute smudging noise for b bits: 2^(b+1) − 2. */
export function maxSmudging(bits: number): bigint {
  return (1n << BigInt(bits + 1)) - 2n;
}

/**
 * Noise of one block before centring: per coefficient the sum of four uniform b-bit integers, as 32-bit limbs that were added
 * without carrying (each below 2^34); limb l of coefficient i is word l·N + i. Each integer takes ⌈b/32⌉·4 stream bytes.
 */
export function smudgingLimbs(stream: Xof, bits: number, degree: number): BigUint64Array {
  const limbs = Math.ceil(bits / 32);
  const topMask = bits % 32 === 0 ? 0xffffffff : 2 ** (bits % 32) - 1;
  const bytes = stream.read(degree * ADDENDS * limbs * 4);
  const draws = new Uint32Array(bytes.buffer);
  const sums = new BigUint64Array(limbs * degree);
  const halves = new Uint32Array(sums.buffer);
  for (let i = 0, at = 0; i < degree; i++, at += ADDENDS * limbs) {
    for (let l = 0; l < limbs; l++) {
      const mask = l === limbs - 1 ? topMask : 0xffffffff;
      let sum = 0;
      for (let a = 0; a < ADDENDS; a++) sum += (draws[at + a * limbs + l]! & mask) >>> 0;
      halves[2 * (l * degree + i)] = sum >>> 0;
      halves[2 * (l * degree + i) + 1] = sum / 2 ** 32;
    }
  }
  bytes.fill(0);
  return sums;
}

/** Adds the centred noise of {@link smudgingLimbs} to `element`: no float is ever scaled, so every integer of the support occurs. */
export function addSmudging(element: RingElement, sums: BigUint64Array, bits: number, set: ParameterSet): void {
  const { degree } = set;
  const mean = maxSmudging(bits);
  set.dataPrimes.forEach((prime, p) => {
    for (let l = 0; l * degree < sums.length; l++) {
      addScaledWords(element, p * degree, (p + 1) * degree, sums, l * degree, multiplier(1n << BigInt(32 * l), prime));
    }
    addConstant(element, p * degree, (p + 1) * degree, prime - (mean % prime), prime);
  });
}
