import type { NonceEntry, Predicate } from '@coferment/consortium';
import type { RunView } from '../runs/run.view.js';
import { slots } from '../runs/slot.names.js';
import type { RoundRow } from './round.entity.js';

/** Reasons that do not go away with a new attempt. */
const LASTING: ReadonlySet<Predicate<'attempt-declined'>['reason']> = new Set(['refused', 'no-data', 'withdrawn'] as const);

/**
 * Sites that take no part in the present attempt, by their own word; "no data", "refused" and "withdrawn" hold for every attempt of the sum, having left holds for the
 * whole key epoch.
 */
export function declinedSites(view: RunView, round: RoundRow): Set<string> {
  return new Set(declines(view, round).keys());
}

/** By which word a site takes no part, such as "declined: no-data"; undefined where it has said none. */
export function declineOf(view: RunView, round: RoundRow, site: string): string | undefined {
  return declines(view, round).get(site);
}

function declines(view: RunView, round: RoundRow): Map<string, string> {
  const declined = new Map<string, string>();
  for (const { site, predicate } of view.acts.inSlot('epoch-left', slots.ofEpoch(view.epoch.epoch)))
    declined.set(site, `left the epoch: ${predicate.reason}`);
  for (let attempt = 1; attempt <= round.attempt; attempt++) {
    for (const { site, predicate } of view.acts.inSlot('attempt-declined', slots.ofAttempt(round.sum, attempt))) {
      const lasting = LASTING.has(predicate.reason);
      if ((lasting || attempt === round.attempt) && !declined.has(site)) declined.set(site, `declined: ${predicate.reason}`);
    }
  }
  return declined;
}

/** Sites that have left the current key epoch, in site order. */
export function sitesLeft(view: RunView): string[] {
  return view.acts.inSlot('epoch-left', slots.ofEpoch(view.epoch.epoch)).map(({ site }) => site);
}

/** Nonces of the present attempt, of sites that have not declined since, in site order. */
export function noncesOf(view: RunView, round: RoundRow): NonceEntry[] {
  const declined = declinedSites(view, round);
  const acts = view.acts.inSlot('nonce', slots.ofAttempt(round.sum, round.attempt));
  return acts.filter((act) => !declined.has(act.site)).map(({ site, predicate }) => ({ site, nonce: predicate.nonce }));
}

/** How many contributions the sum needs; a confirm sum is over its one site, and one that completes an earlier sum over all of its set. */
export function contributorsNeeded(view: RunView, round: RoundRow): number {
  if (round.kind === 'confirm') return 1;
  return round.fixedSet?.length ?? view.epoch.roster.numbers.minContributors;
}
