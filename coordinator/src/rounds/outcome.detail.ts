import { MAX_DETAIL } from '@coferment/consortium';
import type { RunView } from '../runs/run.view.js';
import { slots } from '../runs/slot.names.js';
import type { RoundRow } from './round.entity.js';
import { declineOf } from './round.participants.js';
import type { OutcomeReason, SiteOutcome } from './site.outcome.js';
import { failuresText, setAsideSites } from './standing.rule.js';

/** The moment at which a sum was decided. */
export interface Moment {
  nowMs: number;
  /** How long ago a site was last heard of, in milliseconds; undefined where it was not since this coordinator started. */
  silentMs: (site: string) => number | undefined;
}

type Decided = readonly { site: string; reason: OutcomeReason }[];

/** How it came to that, of sites that had no nonce when the list was closed or the sum given up. */
export function outcomesAtList(view: RunView, round: RoundRow, decided: Decided, moment: Moment): SiteOutcome[] {
  const isPastDeadline = moment.nowMs >= round.deadlineMs;
  return decided.map(({ site, reason }) => {
    switch (reason) {
      case 'refused':
        return outcome(site, reason, declineOf(view, round, site) ?? 'declined', false);
      case 'set-aside':
        return outcome(site, reason, `no nonce when the others were ready; ${failedText(view, site)}`, false);
      case 'absent':
        return outcome(site, reason, `no nonce by ${clock(moment.nowMs)}; ${heardText(site, moment)}`, true);
      case 'late':
        return isPastDeadline
          ? outcome(site, reason, `no nonce by the deadline ${clock(round.deadlineMs)}; ${heardText(site, moment)}`, true)
          : outcome(site, reason, `no nonce when ${view.plan.quorum.waitFor} sites were ready, as many as the plan waits for`, false);
      case 'dropped':
      case 'ready':
        return outcome(site, reason, 'ready in time', false);
    }
  });
}

/** The same of sites that were on the list and had not uploaded when the set was fixed or the sum given up. */
export function outcomesAtUpload(view: RunView, round: RoundRow, decided: Decided, moment: Moment): SiteOutcome[] {
  return decided.map(({ site, reason }) => {
    const listed = `listed in attempt ${round.attempt}`;
    const declined = declineOf(view, round, site);
    if (reason === 'ready') return outcome(site, reason, `${listed}, uploaded in time`, false);
    if (declined !== undefined) return outcome(site, reason, `${listed}, then ${declined}`, false);
    if (reason === 'set-aside')
      return outcome(site, reason, `${listed}, no upload when the others were in; ${failedText(view, site)}`, false);
    return outcome(site, reason, `${listed}, no upload by ${clock(moment.nowMs)}; ${heardText(site, moment)}`, true);
  });
}

/** Whoever is not missing in a sum that is given up had done its part. */
export function readyOutcomes(view: RunView, round: RoundRow, members: readonly string[], missing: readonly SiteOutcome[]): SiteOutcome[] {
  const uploaded = new Set(view.acts.inSlot('contribution', slots.ofAttempt(round.sum, round.attempt)).map(({ site }) => site));
  return members
    .filter((site) => !missing.some((other) => other.site === site))
    .map((site) => outcome(site, 'ready', uploaded.has(site) ? `uploaded in attempt ${round.attempt}` : 'nonce in time', false));
}

/** A site that is in the epoch and not in the set that the sum has to be over: what became of it when that set was fixed stays its reason. */
export function outcomesOutsideSet(before: RoundRow, set: readonly string[], members: readonly string[]): SiteOutcome[] {
  return before.excluded
    .filter(({ site }) => members.includes(site) && !set.includes(site))
    .map(({ site, reason, detail = '' }) => {
      const outside = `outside the set that sum ${before.sum} was frozen over`;
      // A set that was fixed before it is still the same one, and said already.
      return outcome(site, reason, before.fixedSet !== null ? detail : [outside, detail].filter((text) => text !== '').join(': '), false);
    });
}

function outcome(site: string, reason: OutcomeReason, detail: string, waitedInVain: boolean): SiteOutcome {
  return { site, reason, detail: detail.slice(0, MAX_DETAIL), ...(waitedInVain ? { waitedInVain } : {}) };
}

function failedText(view: RunView, site: string): string {
  return failuresText(setAsideSites(view).get(site) ?? []);
}

function heardText(site: string, { silentMs }: Moment): string {
  const silence = silentMs(site);
  if (silence === undefined) return 'not heard of since the coordinator started';
  const seconds = Math.round(silence / 1000);
  return seconds <= 0 ? 'connected' : `last heard of ${seconds} s before`;
}

function clock(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 19).replace('T', ' ')} UTC`;
}
