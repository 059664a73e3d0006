import { COMPOSED_WORDS } from './crt.composition.js';
import type { ParameterSet } from './parameter.set.js';

/* Composed coefficients as they are kept between steps: three little-endian 64-bit words each, coefficient-major. */

const WORD = (1n << 64n) - 1n;

/** Bits of q in every set. */
export const MODULUS_BITS = 180;

/** Words of an integer below 2^192, lowest first. */
export const wordsOf = (value: bigint): [bigint, bigint, bigint] => [value & WORD, (value >> 64n) & WORD, value >> 128n];

/** The integer of coefficient `index`. */
export function composedAt(words: BigUint64Array, index: number): bigint {
  const at = index * COMPOSED_WORDS;
  return words[at]! | (words[at + 1]! << 64n) | (words[at + 2]! << 128n);
}

/** True when each coefficient is below q. */
export function isReduced(words: BigUint64Array, { modulus }: ParameterSet): boolean {
  const least = BigUint64Array.of(modulus >> 128n);
  for (let at = 0; at < words.length; at += COMPOSED_WORDS) {
    if (words[at + 2]! >= least[0]! && composedAt(words, at / COMPOSED_WORDS) >= modulus) return false;
  }
  return true;
}
