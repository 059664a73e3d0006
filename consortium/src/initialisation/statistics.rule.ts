import { digest } from '@coferment/crypto';
import { ConsortiumError } from '../errors/index.js';
import { decodeExact, modelBytes } from '../model-vector/index.js';
import { featureRanges, type Plan, targetRange } from '../plan/index.js';

/** The opened statistics sum: exact integers in layout order, and over how many sites. */
export interface StatisticsSum {
  readonly exact: readonly bigint[];
  readonly addends: number;
}

/** What every site subtracts and divides by, inputs in column order, all in the columns' own units. */
export interface Normalisation {
  /** Training rows of all sites together. */
  readonly count: number;
  readonly mean: readonly number[];
  readonly std: readonly number[];
  readonly targetMean: number;
  readonly targetStd: number;
}

function rowCount(plan: Plan, sum: StatisticsSum): number {
  const count = decodeExact(plan, 'statistics', sum.exact)['count']!;
  if (!Number.isInteger(sum.addends) || sum.addends < 1 || count < sum.addends) {
    throw new ConsortiumError(
      'out-of-range',
      `the statistics sum counts ${count} rows over ${sum.addends} sites; every site has at least one row`,
    );
  }
  return count;
}

/**
 * Means and standard deviations of all sites together. Only + − × ÷ √ on doubles, in a fixed order: the same bits on every machine.
 * A column without spread gets std 1, so that it is centred and nothing is divided by noise.
 * With normalisation `none`: mean 0 and std 1 everywhere.
 * @throws ConsortiumError 'wrong-length' or 'out-of-range' for sums that no rows can have.
 */
export function normalisationFromStatistics(plan: Plan, sum: StatisticsSum): Normalisation {
  const count = rowCount(plan, sum);
  const ranges = featureRanges(plan);
  if (plan.normalisation === 'none') {
    return { count, mean: ranges.map(() => 0), std: ranges.map(() => 1), targetMean: 0, targetStd: 1 };
  }
  const values = decodeExact(plan, 'statistics', sum.exact);
  // Each site rounds its sums once, to half a unit of 2^-24; a variance below what that can fake is no spread.
  const roundingVariance = (2 * sum.addends) / (2 ** 24 * count);
  const moments = (name: string, low: number, high: number): { mean: number; std: number } => {
    const first = values[`sum:${name}`]! / count;
    const second = values[`sumSquares:${name}`]! / count;
    const slack = sum.addends / count;
    if (first > 1 + slack || second > first + slack) {
      throw new ConsortiumError(
        'out-of-range',
        `the statistics of "${name}" (mean ${first}, mean square ${second} of [0, 1]) are those of no data`,
      );
    }
    const variance = second - first * first;
    const width = high - low;
    return { mean: low + first * width, std: variance > roundingVariance ? Math.sqrt(variance) * width : 1 };
  };
  const inputs = ranges.map(({ name, low, high }) => moments(name, low, high));
  const { low, high } = targetRange(plan);
  const target = moments('target', low, high);
  return {
    count,
    mean: inputs.map((column) => column.mean),
    std: inputs.map((column) => column.std),
    targetMean: target.mean,
    targetStd: target.std,
  };
}

/** The power of two above twice the mean number of training rows of a site. */
export function rowCapFrom(plan: Plan, sum: StatisticsSum): number {
  const twiceMean = (2 * rowCount(plan, sum)) / sum.addends;
  let cap = 1;
  while (cap <= twiceMean) cap *= 2;
  return cap;
}

/**
 * Largest weight of a site: weights above it are clamped. A cap far above a site's weight eats the bits of its update, so `auto` follows the mean.
 * Equal weights are all 1.
 */
export function weightCapFrom(plan: Plan, sum: StatisticsSum): number {
  switch (plan.weighting.by) {
    case 'equal':
      return 1;
    case 'samples':
      return plan.weighting.cap === 'auto' ? rowCapFrom(plan, sum) : plan.weighting.cap;
  }
}

/** Names the normalisation in I: float64, little-endian, in the order of the fields and columns. */
export function normalisationDigest({ count, mean, std, targetMean, targetStd }: Normalisation): string {
  return digest('normalisation', modelBytes(Float64Array.of(count, targetMean, targetStd, ...mean, ...std)));
}
