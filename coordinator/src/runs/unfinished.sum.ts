import type { RoundRow } from '../rounds/round.entity.js';
import type { RunView } from './run.view.js';

/**
 * The sum that a run has opened and not closed, through all key epochs; confirm sums belong to one epoch only and are not it. Undefined before the
 * statistics sum.
 */
export function unfinishedSum(view: RunView): RoundRow | undefined {
  const last = view.rounds.findLast((round) => round.kind !== 'confirm');
  return last?.state === 'closed' ? undefined : last;
}

/**
 * The set that any further sum from the same model must be over: the one that was frozen first. The ledger shows a frozen set, and sites sign no other
 * one for this model, for life.
 */
export function stickySet(round: RoundRow): string[] | null {
  return round.t === null ? round.fixedSet : round.counted;
}
