import { randomBytes } from 'node:crypto';
import { xof } from '../hashing/stream.xof.js';
import type { ParameterSet } from '../ring/parameter.set.js';
import { zeroElement, type RingElement } from '../ring/ring.element.js';

/** A source of the next `length` bytes. */
export type ByteSource = (length: number) => Uint8Array;

/** The words of fresh bytes; a view where their place in memory allows it. */
function wordsOf(bytes: Uint8Array): BigUint64Array {
  const aligned = bytes.byteOffset % 8 === 0 ? bytes : new Uint8Array(bytes);
  return new BigUint64Array(aligned.buffer, aligned.byteOffset, aligned.length / 8);
}

/**
 * Fills target[from, to) with uniform residues: each takes the next 8 bytes, little endian, cut to the bit length of the prime,
 * and is drawn again when it is not below the prime.
 */
export function fillUniform(target: RingElement, from: number, to: number, prime: bigint, source: ByteSource): void {
  const limits = BigUint64Array.of((1n << BigInt(prime.toString(2).length)) - 1n, prime);
  let at = from;
  while (at < to) {
    const words = wordsOf(source((to - at) * 8));
    for (let i = 0; i < words.length; i++) {
      const candidate = BigInt.asUintN(64, words[i]! & limits[0]!);
      if (candidate < BigInt.asUintN(64, limits[1]!)) target[at++] = candidate;
    }
  }
}

/** Uniform element of R_q from the operating system's CSPRNG. */
export function uniformElement(set: ParameterSet): RingElement {
  const element = zeroElement(set);
  set.dataPrimes.forEach((prime, p) => fillUniform(element, p * set.degree, (p + 1) * set.degree, prime, randomBytes));
  return element;
}

/** The public randomness a_b of block `block` under K, in NTT form: one stream per prime. */
export function publicElement(k: string, block: number, set: ParameterSet): RingElement {
  const element = zeroElement(set);
  fillPublicElement(k, block, set, element);
  return element;
}

/** {@link publicElement} into memory that is there already. */
export function fillPublicElement(k: string, block: number, set: ParameterSet, element: RingElement): void {
  set.dataPrimes.forEach((prime, p) => {
    const stream = xof('a', k, block, p);
    fillUniform(element, p * set.degree, (p + 1) * set.degree, prime, (length) => stream.read(length));
  });
}
