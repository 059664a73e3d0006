import { encodeExact, featureRanges, type Plan, targetRange } from '@coferment/consortium';
import { LearningError } from '../errors/learning.error.js';
import type { Rows } from './dataset.builder.js';

/**
 * A site's part of the statistics sum, exact integers in the layout of the sum: the number of training rows and, with federated normalisation,
 * of every input column and the target the sums of the values and of their squares, clamped to the plan's public range and mapped to [0, 1].
 * @throws LearningError 'no-rows'
 */
export function localStatistics(plan: Plan, train: Rows): bigint[] {
  if (train.rows === 0) {
    throw new LearningError('no-rows', 'No training row is left after windowing; look at the dropped rows of `check` and at the plan.');
  }
  const values: Record<string, number> = { count: train.rows };
  if (plan.normalisation === 'federated') {
    const add = (name: string, low: number, high: number, cell: (row: number) => number): void => {
      let sum = 0;
      let squares = 0;
      for (let row = 0; row < train.rows; row++) {
        const share = (Math.min(high, Math.max(low, cell(row))) - low) / (high - low);
        sum += share;
        squares += share * share;
      }
      values[`sum:${name}`] = sum;
      values[`sumSquares:${name}`] = squares;
    };
    featureRanges(plan).forEach(({ name, low, high }, column) =>
      add(name, low, high, (row) => train.features[row * train.inputs + column]!),
    );
    const { low, high } = targetRange(plan);
    add('target', low, high, (row) => train.targets[row]!);
  }
  return encodeExact(plan, 'statistics', values);
}
