import type { RoundEvent } from '@coferment/consortium';
import type { RoundRow } from '../rounds/round.entity.js';
import { approvedProposal } from './new-set.rule.js';
import type { AbsentAmong } from './next.step.js';
import { type RunView, openRounds } from './run.view.js';
import { type StuckAt, isShort, needOf, shortfallText, stuckAt } from './shortfall.rule.js';

export type ResumeEvent = Extract<RoundEvent, 'resume-collecting' | 'resume-attesting' | 'resume-decrypting'>;

/** Stopping at a sum that cannot go on for now, and the ways on from there that need no operator. */
export type StuckStep =
  | { do: 'block-waiting'; sum: number; event: 'stall' | 'block'; cause: string }
  | { do: 'resume'; sum: number; event: ResumeEvent }
  | { do: 'open-new-set'; sum: number; slot: string; after: string[] };

/**
 * A sum is stuck when its stage is past its deadline and so few of those who are needed can act that waiting for those who are there does not do. The clock
 * alone never makes it so. Confirmations belong to the key ceremony, which the operator can begin anew at any time: they wait, and say for whom.
 */
export function stepIntoStuck(view: RunView, absentAmong: AbsentAmong, nowMs: number): StuckStep | undefined {
  if (view.run.state !== 'running') return undefined;
  for (const round of openRounds(view)) {
    const need = round.kind === 'confirm' || nowMs < round.deadlineMs ? undefined : needOf(view, round, absentAmong);
    if (need === undefined || !isShort(need)) continue;
    const cause = shortfallText(round, need, nowMs);
    return { do: 'block-waiting', sum: round.sum, event: need.at === 'collecting' ? 'stall' : 'block', cause };
  }
  return undefined;
}

const EVENT: Record<Exclude<StuckAt, 'garbled'>, ResumeEvent> = {
  collecting: 'resume-collecting',
  attesting: 'resume-attesting',
  decrypting: 'resume-decrypting',
};

/** The run goes on when enough have acted, or when everybody concerned has approved another set. Nothing that was garbled gets better by waiting. */
export function stepInStuck(view: RunView, absentAmong: AbsentAmong): StuckStep | undefined {
  for (const round of stuckRounds(view)) {
    const at = stuckAt(round);
    const need = needOf(view, round, absentAmong);
    if (at !== 'garbled' && need !== undefined && need.given.length >= need.needed)
      return { do: 'resume', sum: round.sum, event: EVENT[at] };
    const approved = approvedProposal(view, round);
    if (approved !== undefined) return { do: 'open-new-set', sum: round.sum, ...approved };
  }
  return undefined;
}

/** Sums that stopped; a run has at most one that is not a confirmation. */
export function stuckRounds(view: RunView): RoundRow[] {
  return openRounds(view).filter(({ state }) => state === 'stuck' || state === 'stalled');
}
