import { digest } from '@coferment/crypto';
import { ConsortiumError } from '../errors/index.js';
import { rowCapFrom, type StatisticsSum } from '../initialisation/index.js';
import { describeModel, modelBytes } from '../model-vector/index.js';
import type { Plan } from '../plan/index.js';

/**
 * Public bounds of the SCALED update (update × weight / weightCap), one per tensor: values from −r to +r are carried, beyond it they saturate.
 * They follow from public sums only, so a range never tells anything about one site.
 */
export interface Ranges {
  readonly perTensor: readonly number[];
  /** No range of this run falls below it. */
  readonly floor: number;
}

/** Decoded sum of scaled updates and how many sites it covers. */
export interface AppliedSum {
  readonly values: Float64Array;
  readonly addends: number;
}

/**
 * A single scaled update may be four times the mean (the weight cap is at most four times the mean weight), and updates of unlike sites partly cancel
 * in the sum: twice as much again.
 */
const HEADROOM = 8;
const MOST_GROWTH = 2;
const MOST_SHRINKING = 4;
const SMALLEST = 1e-9;
/**
 * Near convergence unlike sites pull against each other: their mean goes to zero while each update does not, and a range that followed the mean
 * would clip honest updates. It never falls below this fraction of the first range; at 15 value bits a step is then still 2^-18 of that.
 */
const FLOOR_OF_INITIAL = 1 / 16;

/** How far a site with so many training rows may move a value in a round: learning rate × local steps, or the plan's own `training.initialRange`. */
export function firstRange(plan: Plan, trainingRows: number): number {
  const { learningRate, epochs, batchSize, initialRange } = plan.training;
  const steps = epochs * Math.ceil(trainingRows / batchSize);
  return Math.max(initialRange ?? learningRate * steps, SMALLEST);
}

/** Round 1: the range of the largest site (secure-aggregation.md §4). */
export function initialRanges(plan: Plan, statistics: StatisticsSum): Ranges {
  const range = firstRange(plan, rowCapFrom(plan, statistics));
  return { perTensor: describeModel(plan).tensors.map(() => range), floor: Math.max(range * FLOOR_OF_INITIAL, SMALLEST) };
}

/**
 * Ranges of the next round: eight times the mean scaled update's largest value, per tensor, at most twice and at least a quarter of the range before,
 * and never below a sixteenth of the first round's.
 * @throws ConsortiumError 'wrong-length'
 */
export function nextRanges(plan: Plan, previous: Ranges, sum: AppliedSum): Ranges {
  checkRanges(plan, previous);
  const { tensors, parameters } = describeModel(plan);
  if (sum.values.length !== parameters) {
    throw new ConsortiumError('wrong-length', `a sum of this plan has ${parameters} values, not ${sum.values.length}`);
  }
  let offset = 0;
  const perTensor = tensors.map((tensor, index) => {
    let largest = 0;
    for (let position = offset; position < offset + tensor.size; position++) largest = Math.max(largest, Math.abs(sum.values[position]!));
    offset += tensor.size;
    const before = previous.perTensor[index]!;
    const wanted = (HEADROOM * largest) / sum.addends;
    return Math.max(Math.min(Math.max(wanted, before / MOST_SHRINKING), before * MOST_GROWTH), previous.floor);
  });
  return { perTensor, floor: previous.floor };
}

/** @throws ConsortiumError 'wrong-length' or 'out-of-range' for ranges that are not one positive number per tensor. */
export function checkRanges(plan: Plan, ranges: Ranges): void {
  const { tensors } = describeModel(plan);
  if (ranges.perTensor.length !== tensors.length) {
    throw new ConsortiumError('wrong-length', `this plan has ${tensors.length} ranges, one per tensor, not ${ranges.perTensor.length}`);
  }
  const wrong = [...ranges.perTensor, ranges.floor].find((range) => !(range >= SMALLEST && range < Infinity));
  if (wrong !== undefined)
    throw new ConsortiumError('out-of-range', `a range of ${wrong} is refused; it must be finite and at least ${SMALLEST}`);
}

/** Names the ranges in I: float64, little-endian, tensor by tensor. */
export function rangesDigest(ranges: Ranges): string {
  return digest('ranges', modelBytes(Float64Array.from([ranges.floor, ...ranges.perTensor])));
}
