import { CryptoError } from '../crypto.error.js';
import type { AggregationParameters } from '../ring/parameter.set.js';
import { resolveParameters } from '../ring/aggregation.parameters.js';
import { blockSizes } from './block.layout.js';

/** A vector of `packed` values of valueBits each, several to a coefficient, followed by `exact` integers in coefficients of their own. */
export interface VectorShape {
  packed: number;
  exact: number;
}

/** Exact integers are in [0, 2^48). */
export const EXACT_BITS = 48;

/**
 * The last coefficient of every vector is zero. A garbage share or upload makes every coefficient of the "sum" random, and a random one passes the
 * residual bound with probability up to a half; that this one then also decodes to zero has probability 2^-57, however short the vector is.
 */
const CHECK_COEFFICIENTS = 1;

function requireShape({ packed, exact }: VectorShape): void {
  if (![packed, exact].every((count) => Number.isSafeInteger(count) && count >= 0)) {
    throw new CryptoError('out-of-range', `A vector of ${packed} packed and ${exact} exact values is not possible.`);
  }
}

/** Coefficients in use: those that carry values, and the check. Only they are encrypted, opened and published. 'out-of-range' for an empty vector. */
export function coefficientCount(shape: VectorShape, parameters: AggregationParameters): number {
  requireShape(shape);
  const { set } = resolveParameters(parameters);
  const values = Math.ceil(shape.packed / parameters.digitsPerCoefficient) + shape.exact;
  const count = values === 0 ? 0 : values + CHECK_COEFFICIENTS;
  blockSizes(count, set);
  return count;
}

/** Ciphertext blocks: whole ones of N coefficients and, unless the vector ends with one, a cut one. */
export function blockCount(shape: VectorShape, parameters: AggregationParameters): number {
  const { set } = resolveParameters(parameters);
  return blockSizes(coefficientCount(shape, parameters), set).length;
}

/**
 * Plaintext coefficients (coefficientCount words below t): digit i of a coefficient starts at bit i·digitBits.
 * Throws 'out-of-range' for a wrong length, a packed value of more than valueBits bits or an exact integer outside [0, 2^48).
 */
export function packVector(
  shape: VectorShape,
  parameters: AggregationParameters,
  packed: Uint32Array,
  exact: readonly bigint[] | Float64Array,
): BigUint64Array {
  if (packed.length !== shape.packed || exact.length !== shape.exact) {
    throw new CryptoError(
      'out-of-range',
      `Got ${packed.length} packed and ${exact.length} exact values for a vector of ${shape.packed} and ${shape.exact}.`,
    );
  }
  const { digitsPerCoefficient, digitBits, valueBits } = parameters;
  const coefficients = new BigUint64Array(coefficientCount(shape, parameters));
  const halves = new Uint32Array(coefficients.buffer);
  for (let i = 0; i < packed.length; i++) {
    const value = packed[i]!;
    if (value >= 2 ** valueBits)
      throw new CryptoError('out-of-range', `Packed value ${i} is ${value}: it has more than ${valueBits} bits.`);
    const half = 2 * Math.floor(i / digitsPerCoefficient);
    const shift = (i % digitsPerCoefficient) * digitBits;
    // A 32-bit integer times a power of two is exact in a double; digits do not overlap, so the halves never carry.
    const shifted = value * 2 ** (shift % 32);
    const low = half + (shift >= 32 ? 1 : 0);
    halves[low]! += shifted % 2 ** 32;
    if (low === half) halves[half + 1]! += Math.floor(shifted / 2 ** 32);
  }
  const start = Math.ceil(shape.packed / digitsPerCoefficient);
  for (let i = 0; i < exact.length; i++) coefficients[start + i] = exactInteger(exact[i]!, i);
  return coefficients;
}

function exactInteger(value: bigint | number, index: number): bigint {
  if (typeof value === 'number' && !Number.isSafeInteger(value)) {
    throw new CryptoError('out-of-range', `Exact value ${index} is ${value}: it must be a whole number.`);
  }
  const integer = BigInt(value);
  if (integer < 0n || integer >= 1n << BigInt(EXACT_BITS)) {
    throw new CryptoError('out-of-range', `Exact value ${index} is ${integer}: it must be in [0, 2^${EXACT_BITS}).`);
  }
  return integer;
}

/**
 * Digit sums and exact sums of a decoded sum over `addends` vectors. Throws 'out-of-range' when a sum is larger than `addends` honest
 * values can make it, or when the check coefficient is not zero: something in it was malformed, and nothing of the sum may be used.
 */
export function unpackSum(
  shape: VectorShape,
  parameters: AggregationParameters,
  coefficients: BigUint64Array,
  addends: number,
): { packed: Float64Array; exact: bigint[] } {
  const expected = coefficientCount(shape, parameters);
  if (coefficients.length !== expected)
    throw new CryptoError('out-of-range', `Got ${coefficients.length} coefficients, expected ${expected}.`);
  if (!Number.isSafeInteger(addends) || addends < 1 || addends > parameters.sites) {
    throw new CryptoError('out-of-range', `A sum has 1 to ${parameters.sites} addends, not ${addends}.`);
  }
  const { digitsPerCoefficient, digitBits, valueBits } = parameters;
  const packed = new Float64Array(shape.packed);
  const digitLimit = addends * (2 ** valueBits - 1);
  const start = Math.ceil(shape.packed / digitsPerCoefficient);
  const halves = new Uint32Array(coefficients.buffer, coefficients.byteOffset, start * 2);
  for (let place = 0; place < digitsPerCoefficient; place++) {
    // The last digit of a coefficient takes all remaining bits, so that an overflow is seen.
    for (let i = place; i < shape.packed; i += digitsPerCoefficient) {
      const half = (2 * (i - place)) / digitsPerCoefficient;
      const isLast = place === digitsPerCoefficient - 1 || i === shape.packed - 1;
      const digit = bitsAt(halves[half]!, halves[half + 1]!, place * digitBits, isLast ? 64 : (place + 1) * digitBits);
      if (digit > digitLimit)
        throw new CryptoError('out-of-range', `Digit sum ${i} is ${digit}; ${addends} addends reach at most ${digitLimit}.`);
      packed[i] = digit;
    }
  }
  const exactLimit = BigInt(addends) * ((1n << BigInt(EXACT_BITS)) - 1n);
  const check = coefficients[expected - 1]!;
  if (check !== 0n) {
    throw new CryptoError(
      'out-of-range',
      `The check coefficient is ${check} instead of 0: an upload or a share was not what it should be.`,
    );
  }
  const exact = Array.from(coefficients.subarray(start, start + shape.exact));
  exact.forEach((sum, index) => {
    if (sum > exactLimit)
      throw new CryptoError('out-of-range', `Exact sum ${index} is ${sum}; ${addends} addends reach at most ${exactLimit}.`);
  });
  return { packed, exact };
}

/** Bits from ≤ bit < to of a 64-bit word, from its halves: in doubles, because a BigInt for each of millions of digits takes most of the time. */
function bitsAt(low: number, high: number, from: number, to: number): number {
  if (from >= 32) return (to >= 64 ? high : high % 2 ** (to - 32)) >>> (from - 32);
  if (to <= 32) return (to === 32 ? low : low % 2 ** to) >>> from;
  return (low >>> from) + (to >= 64 ? high : high % 2 ** (to - 32)) * 2 ** (32 - from);
}
