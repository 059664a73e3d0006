import { composedAt } from './composed.words.js';
import { composeLimbs } from './crt.composition.js';
import { limbVectors, reduceLimbs, toWords } from './limb.vectors.js';
import { parameterSet } from './parameter.set.js';
import { zeroElement, type RingElement } from './ring.element.js';

export const set = parameterSet('INSECURE_TEST_1024');
export const q = set.modulus;

/** The residues of integers, coefficient by coefficient. */
export function elementOf(integers: readonly bigint[]): RingElement {
  const element = zeroElement(set);
  integers.forEach((integer, i) =>
    set.dataPrimes.forEach((prime, p) => (element[p * set.degree + i] = ((integer % prime) + prime) % prime)),
  );
  return element;
}

export const limbs = limbVectors(set.degree);

/** Every coefficient as an integer in [0, q). */
export function wordsOfElement(element: RingElement): BigUint64Array {
  composeLimbs(element, set, limbs, set.degree);
  return wordsOfLimbs();
}

export function wordsOfLimbs(): BigUint64Array {
  reduceLimbs(limbs, set, set.degree);
  const words = new BigUint64Array(3 * set.degree);
  toWords(limbs, words, set.degree);
  return words;
}

export const integersIn = (words: BigUint64Array): bigint[] => Array.from({ length: set.degree }, (_, index) => composedAt(words, index));
export const integersOf = (element: RingElement): bigint[] => integersIn(wordsOfElement(element));
