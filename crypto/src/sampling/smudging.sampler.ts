import type { Xof } from '../hashing/stream.xof.js';
import { addConstant, addWords, type LimbVectors } from '../ring/limb.vectors.js';
import type { ParameterSet } from '../ring/parameter.set.js';

const ADDENDS = 4;
/** 32-bit halves of one sum: four integers of at most 160 bits. */
const HALVES = 6;

/** Largest absolute smudging noise for b bits: 2^(b+1) − 2. */
export function maxSmudging(bits: number): bigint {
  return (1n << BigInt(bits + 1)) - 2n;
}

/**
 * Noise of the first `count` coefficients before centring: per coefficient the sum of four uniform b-bit integers, in three 64-bit words.
 * Each integer takes ⌈b/32⌉·4 stream bytes, coefficient after coefficient: how many are drawn does not change the first ones.
 */
export function smudgingSums(stream: Xof, bits: number, count: number): BigUint64Array {
  const limbs = Math.ceil(bits / 32);
  const topMask = bits % 32 === 0 ? 0xffffffff : 2 ** (bits % 32) - 1;
  const bytes = stream.read(count * ADDENDS * limbs * 4);
  const draws = new Uint32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4);
  const halves = new Uint32Array(count * HALVES);
  for (let i = 0, at = 0, out = 0; i < count; i++, at += ADDENDS * limbs, out += HALVES) {
    let carry = 0;
    for (let l = 0; l < limbs; l++) {
      const mask = l === limbs - 1 ? topMask : 0xffffffff;
      let sum = carry;
      for (let a = 0; a < ADDENDS; a++) sum += (draws[at + a * limbs + l]! & mask) >>> 0;
      halves[out + l] = sum;
      carry = Math.floor(sum / 2 ** 32);
    }
    halves[out + limbs] = carry;
  }
  bytes.fill(0);
  return new BigUint64Array(halves.buffer);
}

/**
 * limbs += the centred noise of {@link smudgingSums}, modulo q; they grow by less than 2·q. No float is ever scaled, so every integer
 * of the support occurs.
 */
export function addSmudging(limbs: LimbVectors, sums: BigUint64Array, bits: number, set: ParameterSet): void {
  const count = sums.length / (HALVES / 2);
  addWords(limbs, sums, count);
  addConstant(limbs, set.modulus - maxSmudging(bits), count);
}
