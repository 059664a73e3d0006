import { type InputParts, NO_NORMALISATION, NO_RANGES } from '../context/index.js';
import { normalisationDigest } from '../initialisation/index.js';
import { describeModel, modelDigest } from '../model-vector/index.js';
import { type Plan, planDigest } from '../plan/index.js';
import { rangesDigest } from '../ranges/index.js';
import type { SumKind } from '../statements/index.js';
import type { StrategyState } from './fedavg.strategy.js';
import { weightRule } from './weight.rule.js';

/**
 * The parts of I (R1): everything that decides what a site computes for a sum. A coordinator that could change one of them for one site alone would
 * find that site's update in the sum (Pasquini et al., CCS 2022), so every field of the state is in here.
 * @param state null for sums that start from no model (confirm, statistics).
 */
export function sumInput(plan: Plan, kind: SumKind, state: StrategyState | null): InputParts {
  const parts = { plan: planDigest(plan), kind };
  if (state === null) {
    return { ...parts, modelIn: 'none', ranges: NO_RANGES, normalisation: NO_NORMALISATION, weightRule: weightRule(plan, null) };
  }
  return {
    ...parts,
    modelIn: modelDigest(describeModel(plan), state.model),
    ranges: kind === 'update' ? rangesDigest(state.ranges) : NO_RANGES,
    normalisation: normalisationDigest(state.normalisation),
    weightRule: weightRule(plan, state.weightCap),
  };
}
