import { epochSites } from '@coferment/consortium';
import { OPERATOR } from '../runs/act.entity.js';
import type { RunView } from '../runs/run.view.js';
import { slots } from '../runs/slot.names.js';
import type { RoundRow } from './round.entity.js';
import type { OutcomeReason } from './site.outcome.js';

/** So many sums in a row that waited in vain for a site: from then on none waits for it. */
export const FAILURES_UNTIL_SET_ASIDE = 5;

export interface Failure {
  sum: number;
  reason: OutcomeReason;
}

/**
 * The sites of the present key epoch that are set aside, with the sums that waited for them in vain, oldest first. A function of what is stored, so that every
 * restart and every replica says the same.
 *
 * - A sum counts once, whatever the number of its attempts: an attempt that fails is below minContributors, where every site is waited for in any case.
 * - A sum that a site has declined ends the row: it was not waited for in vain. It brings nobody back.
 * - Confirm sums and sums over a fixed set say nothing: they wait for exactly these sites, however often one of them fails.
 */
export function setAsideSites(view: RunView): Map<string, readonly Failure[]> {
  const rows = new Map<string, Failure[]>();
  for (const round of view.rounds) {
    if (!isDecided(round)) continue;
    for (const site of rows.keys()) if (round.counted.includes(site)) rows.delete(site);
    for (const { site, reason, waitedInVain } of round.excluded) {
      const row = rows.get(site) ?? [];
      if (waitedInVain === true) rows.set(site, [...row, { sum: round.sum, reason }]);
      else if (reason === 'refused' && row.length < FAILURES_UNTIL_SET_ASIDE) rows.delete(site);
      if (isReadmission(view, site, round.sum)) rows.delete(site);
    }
  }
  const members = epochSites(view.epoch.roster);
  return new Map([...rows].filter(([site, row]) => row.length >= FAILURES_UNTIL_SET_ASIDE && members.includes(site)));
}

/** Sites that a sum does not wait for as long as it has enough others. */
export function notWaitedFor(view: RunView, round: RoundRow): Set<string> {
  return isOverAnySet(round) ? new Set(setAsideSites(view).keys()) : new Set();
}

/** Whether the operator has readmitted a site since the last sum that it failed. */
export function wasReadmitted(view: RunView, site: string): boolean {
  const lastFailed = view.rounds.findLast(
    (round) => isDecided(round) && round.excluded.some((outcome) => outcome.site === site && outcome.waitedInVain === true),
  );
  return lastFailed !== undefined && isReadmission(view, site, lastFailed.sum);
}

/** Such as "late in sum 7, dropped in sum 8". */
export function failuresText(failures: readonly Failure[]): string {
  return failures.map(({ sum, reason }) => `${reason} in sum ${sum}`).join(', ');
}

function isReadmission({ acts }: RunView, site: string, sum: number): boolean {
  return acts.has('site-readmitted', OPERATOR, slots.ofReadmission(site, sum));
}

function isDecided(round: RoundRow): boolean {
  return isOverAnySet(round) && (round.t !== null || round.state === 'abandoned');
}

function isOverAnySet({ kind, fixedSet }: RoundRow): boolean {
  return kind !== 'confirm' && fixedSet === null;
}
