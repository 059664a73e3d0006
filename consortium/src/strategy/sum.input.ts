import { type InputParts, NO_NORMALISATION, NO_RANGES } from '../context/index.js';
import { normalisationDigest } from '../initialisation/index.js';
import { describeModel, modelDigest } from '../model-vector/index.js';
import { type Plan, planDigest } from '../plan/index.js';
import { rangesDigest } from '../ranges/index.js';
import type { SumKind } from '../statements/index.js';
import type { StrategyState } from './fedavg.strategy.js';
import { weightRule } from './weight.rule.js';

/** A state by the name of its model: what a sum's input needs of it. */
export interface NamedState extends Pick<StrategyState, 'ranges' | 'weightCap' | 'normalisation'> {
  /** See `modelDigest`. */
  readonly model: string;
}

/**
 * The parts of I (R1): everything that decides what a site computes for a sum. A coordinator that could change one of them for one site alone would
 * find that site's update in the sum (Pasquini et al., CCS 2022), so every field of the state is in here.
 * @param state null for sums that start from no model (confirm, statistics).
 */
export function sumInput(plan: Plan, kind: SumKind, state: StrategyState | null): InputParts {
  return namedSumInput(plan, kind, state === null ? null : { ...state, model: modelDigest(describeModel(plan), state.model) });
}

/** {@link sumInput} where the model has been digested before: that takes a while for a large one. */
export function namedSumInput(plan: Plan, kind: SumKind, state: NamedState | null): InputParts {
  const parts = { plan: planDigest(plan), kind };
  if (state === null) {
    return { ...parts, modelIn: 'none', ranges: NO_RANGES, normalisation: NO_NORMALISATION, weightRule: weightRule(plan, null) };
  }
  return {
    ...parts,
    modelIn: state.model,
    ranges: kind === 'update' ? rangesDigest(state.ranges) : NO_RANGES,
    normalisation: normalisationDigest(state.normalisation),
    weightRule: weightRule(plan, state.weightCap),
  };
}
