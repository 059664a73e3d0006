import { ConsortiumError } from '../errors/index.js';
import {
  initialModel,
  normalisationFromStatistics,
  type Normalisation,
  type StatisticsSum,
  weightCapFrom,
} from '../initialisation/index.js';
import { checkModel, decodeExact, describeModel } from '../model-vector/index.js';
import type { Plan } from '../plan/index.js';
import { dequantiseSum, initialRanges, nextRanges, type Ranges } from '../ranges/index.js';

/** All that the next round depends on. Every member computes it alike from the published sums; nobody is told it. */
export interface StrategyState {
  /** Updates applied so far. */
  readonly round: number;
  /** 32-bit floats, held as doubles. */
  readonly model: Float64Array;
  readonly ranges: Ranges;
  /** Constant over the run. */
  readonly weightCap: number;
  readonly normalisation: Normalisation;
}

/** An opened sum of kind `update`, as unpacked. */
export interface UpdateSum {
  readonly packed: Float64Array;
  readonly exact: readonly bigint[];
  /** |A|: how many sites it covers. */
  readonly addends: number;
  readonly valueBits: number;
}

/** The state before round 1. */
export function initialState(plan: Plan, run: { ordinal: number; siteIds: readonly string[]; statistics: StatisticsSum }): StrategyState {
  return {
    round: 0,
    model: initialModel(plan, run.ordinal, run.siteIds),
    ranges: initialRanges(plan, run.statistics),
    weightCap: weightCapFrom(plan, run.statistics),
    normalisation: normalisationFromStatistics(plan, run.statistics),
  };
}

/**
 * Federated averaging (McMahan et al., AISTATS 2017) on the opened sum: model + Σ(wᵢ·Δᵢ) / Σwᵢ, where the sum carries Σ(wᵢ/cap·Δᵢ).
 * Only + − × ÷ on doubles in a fixed order, then rounded to 32-bit floats, so every machine gets the same bits.
 * @throws ConsortiumError 'out-of-range' when the weights cannot be those of so many sites or the model would overflow, 'wrong-length' for another layout. Nothing is applied then.
 */
export function applySum(plan: Plan, state: StrategyState, sum: UpdateSum): StrategyState {
  const description = describeModel(plan);
  checkModel(description, state.model);
  const { weightCap } = state;
  const weight = decodeExact(plan, 'update', sum.exact)['weight']!;
  if (!(weight >= sum.addends && weight <= sum.addends * weightCap)) {
    const limits = `from ${sum.addends} to ${sum.addends * weightCap}`;
    throw new ConsortiumError(
      'out-of-range',
      `the weights of ${sum.addends} sites sum to ${weight}; only ${limits} is possible. The sum was not applied`,
    );
  }
  const values = dequantiseSum({ plan, ranges: state.ranges, valueBits: sum.valueBits, packed: sum.packed, addends: sum.addends });
  const model = new Float64Array(state.model.length);
  for (let index = 0; index < model.length; index++)
    model[index] = Math.fround(state.model[index]! + (values[index]! * weightCap) / weight);
  checkModel(description, model);
  return { ...state, round: state.round + 1, model, ranges: nextRanges(plan, state.ranges, { values, addends: sum.addends }) };
}
