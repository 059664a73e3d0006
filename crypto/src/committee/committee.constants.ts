import { CryptoError } from '../crypto.error.js';
import { leastCommonMultiple, lagrangeAtZero, rational, subsetsOf, type Rational } from './lagrange.rational.js';

export const MAX_KEY_HOLDERS = 12;

/** One τ-subset D of the holders with its L2(D) and the integers L2(D)·λ_j, in the order of `holders`. */
export interface DecodingSet {
  holders: number[];
  scale: bigint;
  weights: bigint[];
  /** Σ |L2·λ_j| */
  weightSum: bigint;
}

/** What a committee of m holders with threshold τ multiplies shares by. */
export interface CommitteeConstants {
  keyHolders: number;
  threshold: number;
  /** α_j by position: 1, −1, 2, −2, … */
  points: number[];
  /** lcm of the denominators of λ0(C, k) over all (τ−1)-subsets C and k ∉ C; without it one honest share leaks the error modulo small primes. */
  L1: bigint;
  /** max |L1·λ0(C, k)| */
  maxDrown: bigint;
  /** max L2(D) over all D */
  worstL2: bigint;
  /** max and min over D of Σ |L2·λ_j| */
  worstDecode: bigint;
  bestDecode: bigint;
  decodingSets: DecodingSet[];
}

/** α of the holder at `position` (from 0). */
function pointAt(position: number): number {
  const size = Math.floor(position / 2) + 1;
  return position % 2 === 0 ? size : -size;
}

const absolute = (value: bigint): bigint => (value < 0n ? -value : value);
const largest = (values: readonly bigint[]): bigint => values.reduce((most, value) => (value > most ? value : most), 0n);

/** λ0(C, k) for every (τ−1)-subset C and k outside it. */
function drowningFactors(points: readonly number[], threshold: number): Rational[] {
  const factors: Rational[] = [];
  for (const subset of subsetsOf(points.length, threshold - 1)) {
    for (let k = 0; k < points.length; k++) {
      if (subset.includes(k)) continue;
      let numerator = 1n;
      let denominator = 1n;
      for (const j of subset) {
        numerator *= BigInt(points[k]! - points[j]!);
        denominator *= BigInt(-points[j]!);
      }
      factors.push(rational(numerator, denominator));
    }
  }
  return factors;
}

function decodingSet(points: readonly number[], holders: number[]): DecodingSet {
  const coefficients = lagrangeAtZero(points, holders);
  const scale = coefficients.reduce((common, { denominator }) => leastCommonMultiple(common, denominator), 1n);
  const weights = coefficients.map(({ numerator, denominator }) => (scale / denominator) * numerator);
  return { holders, scale, weights, weightSum: weights.reduce((sum, weight) => sum + absolute(weight), 0n) };
}

const computed = new Map<string, CommitteeConstants>();

/** Constants for 2 ≤ τ ≤ m ≤ 12; 'bad-committee' otherwise. The answer is shared: do not change it. */
export function committeeConstants(keyHolders: number, threshold: number): CommitteeConstants {
  const whole = Number.isSafeInteger(keyHolders) && Number.isSafeInteger(threshold);
  if (!whole || keyHolders > MAX_KEY_HOLDERS || threshold < 2 || threshold > keyHolders) {
    throw new CryptoError(
      'bad-committee',
      `A committee of ${keyHolders} with threshold ${threshold} is not possible: use 2 ≤ threshold ≤ key holders ≤ ${MAX_KEY_HOLDERS}.`,
    );
  }
  const name = `${keyHolders}/${threshold}`;
  const known = computed.get(name);
  if (known !== undefined) return known;
  const points = Array.from({ length: keyHolders }, (_, position) => pointAt(position));
  const factors = drowningFactors(points, threshold);
  const L1 = factors.reduce((common, { denominator }) => leastCommonMultiple(common, denominator), 1n);
  const decodingSets = Array.from(subsetsOf(keyHolders, threshold), (holders) => decodingSet(points, holders));
  const sums = decodingSets.map(({ weightSum }) => weightSum);
  const constants: CommitteeConstants = {
    keyHolders,
    threshold,
    points,
    L1,
    maxDrown: largest(factors.map(({ numerator, denominator }) => absolute((L1 / denominator) * numerator))),
    worstL2: largest(decodingSets.map(({ scale }) => scale)),
    worstDecode: largest(sums),
    bestDecode: sums.reduce((least, sum) => (sum < least ? sum : least)),
    decodingSets,
  };
  computed.set(name, constants);
  return constants;
}
