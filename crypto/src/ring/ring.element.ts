import { CryptoError } from '../crypto.error.js';
import type { ParameterSet } from './parameter.set.js';
import { addScaledWords, addWords, multiplier, scaleWords, type Multiplier } from './word.arithmetic.js';

/**
 * An element of R_q as residues, prime-major: word p·N + i is coefficient (or NTT slot) i modulo data prime p.
 * On the wire the same words, little endian, 8 bytes each.
 */
export type RingElement = BigUint64Array;

export const elementWords = (set: ParameterSet): number => set.dataPrimes.length * set.degree;
export const elementBytes = (set: ParameterSet): number => elementWords(set) * 8;

export function zeroElement(set: ParameterSet): RingElement {
  return new BigUint64Array(elementWords(set));
}

/** Words of a wire buffer, copied so that alignment and later writes of the owner do not matter. */
function wordsFromBytes(bytes: Uint8Array): BigUint64Array {
  const copy = new Uint8Array(bytes.length);
  copy.set(bytes);
  return new BigUint64Array(copy.buffer);
}

export function bytesFromWords(words: BigUint64Array): Uint8Array {
  return new Uint8Array(words.buffer, words.byteOffset, words.byteLength).slice();
}

/** `used` words for each data prime, over and over. */
function requireReduced(words: BigUint64Array, used: number, { dataPrimes }: ParameterSet, what: string): void {
  for (let base = 0; base < words.length; base += dataPrimes.length * used) {
    for (let p = 0; p < dataPrimes.length; p++) {
      const prime = dataPrimes[p]!;
      const from = base + p * used;
      for (let i = from; i < from + used; i++) {
        if (words[i]! >= prime) throw new CryptoError('malformed', `${what}: word ${i} is not below its prime ${prime}.`);
      }
    }
  }
}

function requireLength(bytes: Uint8Array, expected: number, set: ParameterSet, what: string): void {
  if (bytes instanceof Uint8Array && bytes.length === expected) return;
  const found = bytes instanceof Uint8Array ? `${bytes.length} bytes` : typeof bytes;
  throw new CryptoError('malformed', `${what} must be ${expected} bytes in ${set.name}, not ${found}.`);
}

/** `count` elements from the wire: exact length, every residue below its prime, else 'malformed'. */
export function elementsFromBytes(bytes: Uint8Array, count: number, set: ParameterSet, what: string): RingElement[] {
  requireLength(bytes, count * elementBytes(set), set, what);
  const words = wordsFromBytes(bytes);
  requireReduced(words, set.degree, set, what);
  const size = elementWords(set);
  return Array.from({ length: count }, (_, index) => words.subarray(index * size, (index + 1) * size));
}

export function elementFromBytes(bytes: Uint8Array, set: ParameterSet, what: string): RingElement {
  return elementsFromBytes(bytes, 1, set, what)[0]!;
}

/** One integer as a factor modulo every data prime. */
export function scalar(value: bigint, set: ParameterSet): Multiplier[] {
  return set.dataPrimes.map((prime) => multiplier(value, prime));
}

/** One factor per data prime (a constant of R_q given by its residues). */
export function scalarFromResidues(residues: readonly bigint[], set: ParameterSet): Multiplier[] {
  return set.dataPrimes.map((prime, index) => multiplier(residues[index]!, prime));
}

export function addElement(target: RingElement, source: RingElement, set: ParameterSet): void {
  scalar(1n, set).forEach((one, p) => addWords(target, p * set.degree, (p + 1) * set.degree, source, p * set.degree, one));
}

export function scaleElement(target: RingElement, by: readonly Multiplier[], set: ParameterSet): void {
  set.dataPrimes.forEach((_, p) => scaleWords(target, p * set.degree, (p + 1) * set.degree, by[p]!));
}

export function addScaledElement(target: RingElement, source: RingElement, by: readonly Multiplier[], set: ParameterSet): void {
  set.dataPrimes.forEach((_, p) => addScaledWords(target, p * set.degree, (p + 1) * set.degree, source, p * set.degree, by[p]!));
}

/** Value at the small integer `point` of the polynomial with these ring coefficients, lowest first (Horner). */
export function evaluateAt(coefficients: readonly RingElement[], point: number, set: ParameterSet): RingElement {
  const by = scalar(BigInt(point), set);
  const value = zeroElement(set);
  for (const coefficient of coefficients.toReversed()) {
    scaleElement(value, by, set);
    addElement(value, coefficient, set);
  }
  return value;
}

export function equalElements(a: RingElement, b: RingElement): boolean {
  return a.length === b.length && a.every((word, index) => word === b[index]);
}
