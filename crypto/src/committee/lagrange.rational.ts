import { CryptoError } from '../crypto.error.js';

/** A reduced fraction; the denominator is positive. */
export interface Rational {
  numerator: bigint;
  denominator: bigint;
}

const absolute = (value: bigint): bigint => (value < 0n ? -value : value);

export function greatestCommonDivisor(a: bigint, b: bigint): bigint {
  let [x, y] = [absolute(a), absolute(b)];
  while (y !== 0n) [x, y] = [y, x % y];
  return x;
}

export function leastCommonMultiple(a: bigint, b: bigint): bigint {
  return (a / greatestCommonDivisor(a, b)) * b;
}

export function rational(numerator: bigint, denominator: bigint): Rational {
  const divisor = greatestCommonDivisor(numerator, denominator) * (denominator < 0n ? -1n : 1n);
  return { numerator: numerator / divisor, denominator: denominator / divisor };
}

/** All subsets of {0, …, size−1} with `count` elements, each ascending, in lexicographic order. */
export function* subsetsOf(size: number, count: number, from = 0): Generator<number[]> {
  if (count === 0) {
    yield [];
    return;
  }
  for (let first = from; first <= size - count; first++) {
    for (const rest of subsetsOf(size, count - 1, first + 1)) yield [first, ...rest];
  }
}

function requireSubset(points: readonly number[], subset: readonly number[]): bigint[] {
  const distinct = new Set(subset).size === subset.length;
  if (subset.length === 0 || !distinct || subset.some((index) => points[index] === undefined)) {
    throw new CryptoError('bad-committee', `[${subset.join(', ')}] is not a set of positions among ${points.length} key holders.`);
  }
  return subset.map((index) => BigInt(points[index]!));
}

/** Lagrange coefficients at zero for the points at these positions, in the order of `subset`. */
export function lagrangeAtZero(points: readonly number[], subset: readonly number[]): Rational[] {
  const chosen = requireSubset(points, subset);
  return chosen.map((own) => {
    let numerator = 1n;
    let denominator = 1n;
    for (const other of chosen) {
      if (other === own) continue;
      numerator *= -other;
      denominator *= own - other;
    }
    return rational(numerator, denominator);
  });
}

/** L2(D): lcm of the denominators of D's Lagrange coefficients at zero. */
export function combinationScale(points: readonly number[], subset: readonly number[]): bigint {
  return lagrangeAtZero(points, subset).reduce((scale, { denominator }) => leastCommonMultiple(scale, denominator), 1n);
}

/**
 * Integer weights μ of the parity relation over τ+1 positions: Σ μ_j·f(α_j) = 0 for every polynomial f of degree below τ
 * (divided difference of order τ), scaled to coprime integers.
 */
export function parityWeights(points: readonly number[], subset: readonly number[]): bigint[] {
  const chosen = requireSubset(points, subset);
  const inverses = chosen.map((own) => chosen.reduce((product, other) => (other === own ? product : product * (own - other)), 1n));
  const common = inverses.map(absolute).reduce(leastCommonMultiple, 1n);
  const weights = inverses.map((value) => common / value);
  const shared = weights.reduce(greatestCommonDivisor, 0n);
  return weights.map((weight) => weight / shared);
}
