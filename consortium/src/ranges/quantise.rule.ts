import type { Xof } from '@coferment/crypto';
import { ConsortiumError } from '../errors/index.js';
import { describeModel } from '../model-vector/index.js';
import type { Plan } from '../plan/index.js';
import { checkRanges, type Ranges } from './range.rule.js';

export interface UpdateToQuantise {
  readonly plan: Plan;
  readonly ranges: Ranges;
  /** Trained model minus incoming model, in the order of the tensors. */
  readonly delta: Float64Array;
  /** From 1 to weightCap; see `contributionWeight`. */
  readonly weight: number;
  readonly weightCap: number;
  readonly valueBits: number;
  /** Rounding stream: derived from the site's secret, or the coordinator could undo the rounding. */
  readonly seed: Xof;
}

/** Offset binary with an exact zero: q = zero + y, y from −(zero − 1) to zero − 1, and 0 is never used. */
function zeroPoint(valueBits: number): number {
  if (!Number.isInteger(valueBits) || valueBits < 2 || valueBits > 32) {
    throw new ConsortiumError('out-of-range', `${valueBits} value bits; an update's values have 2 to 32`);
  }
  return 2 ** (valueBits - 1);
}

/** Steps of a quantised value from zero to its tensor's range. Exact for every value bits allowed. */
function stepsOf(valueBits: number): number {
  return zeroPoint(valueBits) - 1;
}

/**
 * The scaled update as integers of `valueBits` bits. Rounding is stochastic, so its error has mean zero and vanishes in the sum.
 * `saturated` counts values beyond their range; it is told to the site only.
 * @throws ConsortiumError 'wrong-length', or 'out-of-range' for a weight outside [1, weightCap] or an update with a value that is no number.
 */
export function quantiseUpdate(update: UpdateToQuantise): { packed: Uint32Array; saturated: number } {
  const { plan, ranges, delta, weight, weightCap, valueBits, seed } = update;
  const { tensors, parameters } = describeModel(plan);
  checkRanges(plan, ranges);
  if (delta.length !== parameters) {
    throw new ConsortiumError('wrong-length', `an update of this plan has ${parameters} values, not ${delta.length}`);
  }
  if (!(weight >= 1 && weight <= weightCap)) {
    throw new ConsortiumError('out-of-range', `a weight of ${weight} is refused; it must be from 1 to the cap of ${weightCap}`);
  }
  const zero = zeroPoint(valueBits);
  const steps = stepsOf(valueBits);
  const scale = weight / weightCap;
  const packed = new Uint32Array(parameters);
  let saturated = 0;
  let offset = 0;
  tensors.forEach((tensor, index) => {
    const perRange = steps / ranges.perTensor[index]!;
    for (let position = offset; position < offset + tensor.size; position++) {
      const exact = delta[position]! * scale * perRange;
      if (!Number.isFinite(exact)) {
        throw new ConsortiumError(
          'out-of-range',
          `value ${position} of the update is ${delta[position]}: training diverged. Lower the learning rate`,
        );
      }
      // Drawn for every value, also for whole ones: which draw belongs to which value must not depend on the data.
      const draw = seed.float53();
      const below = Math.floor(exact);
      const rounded = draw < exact - below ? below + 1 : below;
      if (Math.abs(exact) > steps) saturated++;
      packed[position] = zero + Math.max(-steps, Math.min(steps, rounded));
    }
    offset += tensor.size;
  });
  return { packed, saturated };
}

export interface SumToDequantise {
  readonly plan: Plan;
  readonly ranges: Ranges;
  readonly valueBits: number;
  /** Sums of the sites' integers, as unpacked. */
  readonly packed: Float64Array;
  readonly addends: number;
}

/**
 * Σ of the scaled updates (update × weight / weightCap) as doubles; each site's part is off by less than one step, range / (2^(valueBits−1) − 1).
 * @throws ConsortiumError 'wrong-length', or 'out-of-range' for a sum that so many sites cannot have.
 */
export function dequantiseSum(sum: SumToDequantise): Float64Array {
  const { plan, ranges, valueBits, packed, addends } = sum;
  const { tensors, parameters } = describeModel(plan);
  checkRanges(plan, ranges);
  if (packed.length !== parameters)
    throw new ConsortiumError('wrong-length', `a sum of this plan has ${parameters} values, not ${packed.length}`);
  if (!Number.isInteger(addends) || addends < 1)
    throw new ConsortiumError('out-of-range', `a sum over ${addends} sites; it must be at least one`);
  const zero = zeroPoint(valueBits);
  const steps = stepsOf(valueBits);
  const values = new Float64Array(parameters);
  let offset = 0;
  tensors.forEach((tensor, index) => {
    const range = ranges.perTensor[index]!;
    for (let position = offset; position < offset + tensor.size; position++) {
      const centred = packed[position]! - addends * zero;
      if (!(Math.abs(centred) <= addends * steps)) {
        const limits = `from ${addends} to ${addends * (2 ** valueBits - 1)}`;
        throw new ConsortiumError(
          'out-of-range',
          `value ${position} of the sum is ${packed[position]}; ${addends} sites can only give ${limits}`,
        );
      }
      values[position] = (centred * range) / steps;
    }
    offset += tensor.size;
  });
  return values;
}
