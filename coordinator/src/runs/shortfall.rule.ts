import { refusalSubjects } from '@coferment/consortium';
import { contributorsNeeded, declinedSites, noncesOf, sitesLeft } from '../rounds/round.participants.js';
import type { RoundRow } from '../rounds/round.entity.js';
import type { AbsentAmong } from './next.step.js';
import { type RunView, sitesOf } from './run.view.js';
import { slots } from './slot.names.js';

/** Where a sum stopped: what would take it on again. */
export type StuckAt = 'collecting' | 'attesting' | 'decrypting' | 'garbled';

/** Why somebody who is needed cannot act at the moment, as far as the coordinator knows. */
export type WhyMissing = 'absent' | 'declined' | 'left';

export interface Missing {
  site: string;
  /** Undefined where it is there and only has not acted yet. */
  why: WhyMissing | undefined;
}

/** What a sum needs of its sites in its present stage, who has given it, and who has not. */
export interface Need {
  at: Exclude<StuckAt, 'garbled'>;
  needed: number;
  given: string[];
  missing: Missing[];
}

/** Read off what is stored: a certificate means that shares were asked for, a failure that they were tried. */
export function stuckAt({ state, failure, certificate }: RoundRow): StuckAt {
  if (state === 'stalled') return 'collecting';
  if (failure !== null) return 'garbled';
  return certificate.length > 0 ? 'decrypting' : 'attesting';
}

/** Undefined in a stage that goes on with whoever is there, or that is the coordinator's own. */
export function needOf(view: RunView, round: RoundRow, absentAmong: AbsentAmong): Need | undefined {
  const stage = round.state === 'stuck' ? stuckAt(round) : round.state;
  switch (stage) {
    case 'training':
    case 'ready':
    case 'stalled':
    case 'uploading':
    case 'collecting':
      return round.fixedSet === null ? undefined : collecting(view, round, absentAmong);
    case 'attesting': {
      const slot = slots.ofAttestation(round.kind, round.epoch, round.sum);
      const given = view.acts.inSlot('attestation', slot).map(({ site }) => site);
      return {
        at: 'attesting',
        ...split(view, round, absentAmong, { asked: view.run.sites, given, step: 'attest' }),
        needed: view.epoch.roster.numbers.rho,
      };
    }
    case 'decrypting': {
      const asked = view.epoch.roster.keyHolders.map(({ site }) => site);
      const given = view.acts.inSlot('share', slots.ofSum(round.sum)).map(({ site }) => site);
      return {
        at: 'decrypting',
        ...split(view, round, absentAmong, { asked, given, step: 'releaseShare' }),
        needed: view.epoch.roster.numbers.tau,
      };
    }
    case 'frozen':
    case 'applying':
    case 'garbled':
    case 'closed':
    case 'abandoned':
    case 'superseded':
      return undefined;
  }
}

/** Whether so few can act that waiting for those who are there would not do. */
export function isShort({ given, missing, needed }: Need): boolean {
  return given.length + missing.filter(({ why }) => why === undefined).length < needed;
}

/** A sum over a fixed set needs every site of it. */
function collecting(view: RunView, round: RoundRow, absentAmong: AbsentAmong): Need {
  const set = sitesOf(view, round);
  // An upload that was lost with a restart comes with the next attempt, which needs no standstill: only who stays out of that one too is missing.
  const attempt = round.state === 'uploading' ? round.attempt + 1 : round.attempt;
  const declined = declinedSites(view, { ...round, attempt });
  const left = new Set(sitesLeft(view));
  const uploads = view.acts.inSlot('contribution', slots.ofAttempt(round.sum, round.attempt)).map(({ site }) => site);
  const given = round.state === 'uploading' ? uploads : noncesOf(view, round).map(({ site }) => site);
  const absent = absentAmong(set);
  const missing = set.filter((site) => !given.includes(site));
  const why = (site: string): WhyMissing | undefined =>
    left.has(site) ? 'left' : declined.has(site) ? 'declined' : absent.has(site) ? 'absent' : undefined;
  return { at: 'collecting', given, missing: missing.map((site) => ({ site, why: why(site) })), needed: contributorsNeeded(view, round) };
}

function split(
  view: RunView,
  { sum }: RoundRow,
  absentAmong: AbsentAmong,
  { asked, given, step }: { asked: readonly string[]; given: string[]; step: 'attest' | 'releaseShare' },
): Pick<Need, 'given' | 'missing'> {
  const subject = refusalSubjects.step(step, sum);
  const refused = new Set(view.acts.refusals.filter(({ predicate }) => predicate.subject === subject).map(({ site }) => site));
  const left = new Set(sitesLeft(view));
  const absent = absentAmong(asked);
  const missing = asked.filter((site) => !given.includes(site));
  const why = (site: string): WhyMissing | undefined =>
    left.has(site) ? 'left' : absent.has(site) ? 'absent' : refused.has(site) ? 'declined' : undefined;
  return { given, missing: missing.map((site) => ({ site, why: why(site) })) };
}

const NEEDED: Record<Need['at'], (need: Need) => string> = {
  collecting: ({ given, needed }) =>
    `It completes a set that was fixed by an earlier sum, and ${given.length} of its ${needed} sites have taken part`,
  attesting: ({ given, needed }) => `${given.length} sites have signed the counted set and ${needed} must`,
  decrypting: ({ given, needed }) => `${given.length} key holders have given their decryption share and ${needed} must`,
};
const WORDS: Record<WhyMissing, string> = { absent: 'absent', declined: 'declined', left: 'left the key epoch' };

/** For people and the ledger; the time tells one standstill of a sum from the next. */
export function shortfallText({ sum, kind }: RoundRow, need: Need, nowMs: number): string {
  const who = need.missing.map(({ site, why }) => `${site} (${why === undefined ? 'not yet' : WORDS[why]})`).join(', ');
  return `Sum ${sum} (${kind}) cannot go on since ${new Date(nowMs).toISOString()}. ${NEEDED[need.at](need)}; missing: ${who}.`;
}
