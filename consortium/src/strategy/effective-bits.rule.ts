import type { Plan } from '../plan/index.js';
import { firstRange } from '../ranges/index.js';
import type { StrategyState } from './fedavg.strategy.js';
import { contributionWeight } from './weight.rule.js';

/** Bits of a value that are left of an update after it was scaled by weight/cap: every halving below the cap costs one. Weights above the cap are clamped. */
export function effectiveBits(valueBits: number, weight: number, cap: number): number {
  return valueBits + Math.log2(Math.min(weight, cap) / cap);
}

/**
 * One is the sign. Four more are sixteen steps of the quantiser for the largest move that the plan expects of the site, and about two for an ordinary one,
 * an eighth of that as in the ranges. With fewer, a site would send rounding noise.
 */
const LEAST_BITS = 5;

export interface UpdateBits {
  weight: number;
  cap: number;
  /** Bits that a site's updates keep in this run. */
  bits: number;
  /** Below it the site takes no part. */
  least: number;
}

/**
 * What cap and ranges leave of one site's updates. Both follow from the row counts that sites tell in the statistics sum, and a single false count can put
 * them so high that honest updates vanish, while the run goes on and learns nothing. Equal weights and a cap in the plan keep only the cap down:
 * ranges follow the counts unless the plan has a `training.initialRange`. They count here as they are at their lowest; above it they follow the updates.
 * Where a plan chooses coarse values (fewer than ten bits), half of them are enough; a site of mean weight loses at most two.
 * @throws ConsortiumError 'out-of-range' without any rows
 */
export function updateBits(plan: Plan, state: StrategyState, trainingRows: number, valueBits: number): UpdateBits {
  const cap = state.weightCap;
  const weight = contributionWeight(plan, trainingRows, cap);
  const lostToRange = Math.max(0, Math.log2(state.ranges.floor / firstRange(plan, trainingRows)));
  return { weight, cap, bits: effectiveBits(valueBits, weight, cap) - lostToRange, least: Math.min(LEAST_BITS, valueBits / 2) };
}
