import { randomBytes } from 'node:crypto';
import type { ParameterSet } from '../ring/parameter.set.js';
import type { RingElement } from '../ring/ring.element.js';

/** Largest encryption error: the centred binomial distribution over 21 + 21 bits, as SEAL's (σ = 3.24). */
export const MAX_ERROR = 21;
const HALF_MASK = (1 << MAX_ERROR) - 1;

function bitCount(value: number): number {
  let v = value - ((value >>> 1) & 0x55555555);
  v = (v & 0x33333333) + ((v >>> 2) & 0x33333333);
  return Math.imul((v + (v >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24;
}

/** N errors in [−21, 21] from the operating system's CSPRNG. */
export function sampleErrors(degree: number): Int8Array {
  const bytes = new Uint8Array(randomBytes(degree * 8));
  const draws = new Uint32Array(bytes.buffer);
  const errors = new Int8Array(degree);
  for (let i = 0; i < degree; i++) errors[i] = bitCount(draws[2 * i]! & HALF_MASK) - bitCount(draws[2 * i + 1]! & HALF_MASK);
  bytes.fill(0);
  return errors;
}

/** Adds small signed integers to the coefficients of `element`. */
export function addErrors(element: RingElement, errors: Int8Array, set: ParameterSet): void {
  const { degree } = set;
  set.dataPrimes.forEach((prime, p) => {
    const residues = BigUint64Array.from({ length: 2 * MAX_ERROR + 1 }, (_, index) => {
      const error = BigInt(index - MAX_ERROR);
      return error < 0n ? prime + error : error;
    });
    for (let i = 0; i < degree; i++) {
      const sum = BigInt.asUintN(64, BigInt.asUintN(64, element[p * degree + i]!) + BigInt.asUintN(64, residues[errors[i]! + MAX_ERROR]!));
      element[p * degree + i] = sum >= prime ? BigInt.asUintN(64, sum - prime) : sum;
    }
  });
}
