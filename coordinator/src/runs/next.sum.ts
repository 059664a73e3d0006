import { epochSites, shouldStop } from '@coferment/consortium';
import type { ModelStateRow } from '../models/model-state.entity.js';
import { outcomesOutsideSet } from '../rounds/outcome.detail.js';
import type { RoundRow } from '../rounds/round.entity.js';
import { newRound } from '../rounds/round.opening.js';
import type { RunChange } from './run.change.js';
import { closeRun } from './run.closing.js';
import { type RunView, closedRounds, nextSumNumber } from './run.view.js';
import { stickySet, unfinishedSum } from './unfinished.sum.js';

/** Whether a sum, or the one that its epoch's last confirm sum leads to, starts from a model. */
export function needsModel(view: RunView, round: RoundRow): boolean {
  return round.modelIn !== 'none' || (round.kind === 'confirm' && (unfinishedSum(view)?.modelIn ?? 'none') !== 'none');
}

/**
 * What comes after a closed sum; in the same transaction, so a run never stands still between two sums.
 * @param from the state that the next sum starts from; undefined before the statistics
 */
export async function openNextSum(change: RunChange, view: RunView, closed: RoundRow, from: ModelStateRow | undefined): Promise<void> {
  const sum = nextSumNumber(view);
  switch (closed.kind) {
    case 'confirm': {
      const confirms = view.rounds.filter((round) => round.kind === 'confirm' && round.epoch === closed.epoch);
      if (!confirms.every((round) => round.state === 'closed')) return;
      await change.move('confirm-epoch', `Every key of epoch ${closed.epoch} is confirmed.`);
      return openFirstOfEpoch(change, view, sum, from);
    }
    case 'statistics':
      return change.openRound(newRound(view, { kind: 'update', sum, round: 1, confirms: null, from }, change.nowMs));
    case 'update': {
      const done = closed.round;
      const errors = closedRounds(view).flatMap((round) => (round.kind === 'update' && round.metric !== null ? [round.metric] : []));
      const last = done >= view.plan.rounds || shouldStop(view.plan, errors);
      const next = last ? ({ kind: 'evaluate', round: done } as const) : ({ kind: 'update', round: done + 1 } as const);
      return change.openRound(newRound(view, { ...next, sum, confirms: null, from }, change.nowMs));
    }
    case 'evaluate':
      return closeRun(change, view, {
        event: 'complete',
        cause: '',
        whatToDo: `Look at the model: coferment models download ${closed.run} --out DIR. Release it to all sites: coferment models release ${closed.run}`,
      });
  }
}

/** The statistics sum; or what an earlier epoch left unfinished, from the same model and, if a set was frozen for it, over exactly that set. */
async function openFirstOfEpoch(change: RunChange, view: RunView, sum: number, from: ModelStateRow | undefined): Promise<void> {
  const before = unfinishedSum(view);
  if (before === undefined)
    return change.openRound(newRound(view, { kind: 'statistics', sum, round: 0, confirms: null, from: undefined }, change.nowMs));
  const { kind, round } = before;
  const fixedSet = stickySet(before);
  const over = fixedSet === null ? '' : ` It was frozen, so only ${fixedSet.join(', ')} can be summed, with the updates they have stored.`;
  await change.note('note', { sum, text: `Sum ${before.sum} (${kind}) goes on as sum ${sum}.${over}` });
  const members = epochSites(view.epoch.roster);
  const excluded = fixedSet === null ? [] : outcomesOutsideSet(before, fixedSet, members);
  const opened = newRound(view, { kind, sum, round, confirms: null, from, fixedSet, newSet: before.newSet }, change.nowMs);
  return change.openRound({ ...opened, excluded });
}
