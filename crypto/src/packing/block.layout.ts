import { CryptoError } from '../crypto.error.js';
import type { ParameterSet } from '../ring/parameter.set.js';

/** No key encrypts or opens more blocks than this in its life, so no vector has more. */
const MAX_BLOCKS = 2 ** 20;

/**
 * Coefficients in use in each block of a vector: N in all but the last, which is cut after the last coefficient in use.
 * Throws 'out-of-range' for a count that is no whole number, below one, or beyond 2^20 blocks.
 */
export function blockSizes(coefficients: number, set: ParameterSet): number[] {
  const { degree } = set;
  requireCoefficients(coefficients, set);
  return Array.from({ length: Math.ceil(coefficients / degree) }, (_, block) => Math.min(degree, coefficients - block * degree));
}

function requireCoefficients(coefficients: number, { degree }: ParameterSet): void {
  if (Number.isSafeInteger(coefficients) && coefficients >= 1 && coefficients <= MAX_BLOCKS * degree) return;
  throw new CryptoError('out-of-range', `A vector has 1 to ${MAX_BLOCKS * degree} coefficients, not ${coefficients}.`);
}

/** `bytes` in consecutive pieces of these lengths, as views; 'malformed' when they do not fill it exactly. */
export function splitBytes(bytes: Uint8Array, lengths: readonly number[], what: string): Uint8Array[] {
  const expected = lengths.reduce((sum, length) => sum + length, 0);
  if (!(bytes instanceof Uint8Array) || bytes.length !== expected) {
    const found = bytes instanceof Uint8Array ? `${bytes.length} bytes` : typeof bytes;
    throw new CryptoError('malformed', `${what} must be ${expected} bytes, not ${found}.`);
  }
  let at = 0;
  return lengths.map((length) => bytes.subarray(at, (at += length)));
}

/** Where one block lies in the bytes of a vector, and how many coefficients are in use in it. */
export interface BlockSpan {
  offset: number;
  length: number;
  coefficients: number;
}

/** @param bytesOf bytes of a block with so many coefficients in use. Throws 'out-of-range' for a block that the vector does not have */
export function blockSpan(block: number, coefficients: number, set: ParameterSet, bytesOf: (used: number) => number): BlockSpan {
  requireCoefficients(coefficients, set);
  const { degree } = set;
  if (!Number.isSafeInteger(block) || block < 0 || block * degree >= coefficients)
    throw new CryptoError('out-of-range', `A vector of ${coefficients} coefficients has no block ${block}.`);
  const used = Math.min(degree, coefficients - block * degree);
  // Only the last block is cut, so all before this one are whole.
  return { offset: block * bytesOf(degree), length: bytesOf(used), coefficients: used };
}

/** Blocks from ≤ block < to. */
export interface BlockRange {
  from: number;
  to: number;
}

/** All blocks of a vector in ranges of `size`, in order; the last one may be shorter. */
export function splitIntoRanges(blocks: number, size: number): BlockRange[] {
  return Array.from({ length: Math.ceil(blocks / size) }, (_, index) => ({ from: index * size, to: Math.min(blocks, (index + 1) * size) }));
}

/** The blocks of a range with their coefficients in use; 'out-of-range' for an empty one, or one that the vector does not have. */
export function blockRange({ from, to }: BlockRange, coefficients: number, set: ParameterSet): { block: number; used: number }[] {
  const sizes = blockSizes(coefficients, set);
  if (!Number.isSafeInteger(from) || !Number.isSafeInteger(to) || from < 0 || from >= to || to > sizes.length)
    throw new CryptoError('out-of-range', `A vector of ${sizes.length} blocks has no blocks from ${from} to before ${to}.`);
  return sizes.slice(from, to).map((used, index) => ({ block: from + index, used }));
}
