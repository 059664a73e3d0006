import { refusalSubjects, type Statement } from '@coferment/consortium';
import { epochStage } from '../epochs/epoch.stage.js';
import { CoordinatorError } from '../errors/index.js';
import type { RoundRow } from '../rounds/round.entity.js';
import type { Act } from './act.index.js';
import { printable } from './printable.text.js';
import { type RunView, openRounds } from './run.view.js';
import { slots } from './slot.names.js';

/** A site has a dozen rules and a run a few steps that they can refuse; the rest would only fill the disk. */
export const MOST_REFUSALS = 50;

/** One refusal as people read it: every text is printable. */
export interface ToldRefusal {
  site: string;
  subject: string;
  /** A rule of the site's policy, or the code of the check that failed. */
  rule: string;
  /** Empty where the site tells rules only. */
  reason: string;
  timeMs: number;
}

/** What sites refused, oldest first. */
export function refusalsOf({ acts }: RunView): ToldRefusal[] {
  return acts.refusals.map(toldRefusal);
}

/** A site may say so at any time of a run, each rule about each subject once. Returns its slot. @throws CoordinatorError 'too-large' */
export function admitRefusal({ acts, run }: RunView, { predicate }: Statement<'instruction-refused'>): string {
  const { site, subject, rule } = predicate;
  const slot = slots.ofRefusal(subject, rule);
  const told = acts.refusals.filter((act) => act.site === site);
  if (told.length < MOST_REFUSALS || told.some((act) => act.slot === slot)) return slot;
  throw new CoordinatorError('too-large', `"${site}" has told ${told.length} refusals in run ${run.run}; no more are kept.`);
}

export function refusalText({ site, subject, rule, reason }: Omit<ToldRefusal, 'timeMs'>): string {
  return `${site} refuses ${subject}: rule ${rule}${reason === '' ? '' : `: ${reason}`}`;
}

export function textOfRefusal({ predicate }: Pick<Act<'instruction-refused'>, 'predicate'>): string {
  return refusalText(printed(predicate));
}

/** What these sites have refused of the step that is due now. */
export function standingRefusals(view: RunView, sites: readonly string[]): string[] {
  const subjects = new Set(subjectsNow(view, openRounds(view)));
  return refusalsOf(view)
    .filter(({ site, subject }) => sites.includes(site) && subjects.has(subject))
    .map(refusalText);
}

function subjectsNow(view: RunView, rounds: readonly RoundRow[]): string[] {
  const { plan, step } = refusalSubjects;
  if (view.run.state === 'awaiting-approval') return [plan(view.run.ordinal)];
  const inEpoch = view.epoch.e === null ? STEPS_OF_STAGE[epochStage(view)] : [];
  return [...inEpoch.map((name) => step(name, view.epoch.epoch)), ...rounds.flatMap(subjectsOfRound)];
}

const STEPS_OF_STAGE: Record<ReturnType<typeof epochStage>, readonly string[]> = {
  'offering-keys': ['offerSealingKey'],
  'approving-roster': ['approveRoster'],
  dealing: ['deal', 'checkDealing'],
  agreeing: ['agreeEpoch'],
  agreed: [],
};

function subjectsOfRound({ state, sum }: RoundRow): string[] {
  const { step, rounds } = refusalSubjects;
  switch (state) {
    case 'training':
    case 'ready':
      return [rounds, step('prepareSum', sum)];
    case 'uploading':
      return [rounds, step('encrypt', sum)];
    case 'attesting':
      return [step('attest', sum)];
    case 'decrypting':
    case 'garbled':
      return [step('releaseShare', sum)];
    case 'frozen':
    case 'applying':
    case 'closed':
    case 'abandoned':
    case 'stalled':
    case 'stuck':
    case 'superseded':
      return [];
  }
}

function toldRefusal({ predicate, receivedMs }: Act<'instruction-refused'>): ToldRefusal {
  return { ...printed(predicate), timeMs: receivedMs };
}

/** The signed act is kept as it was sent; a screen gets this. */
function printed({ site, subject, rule, reason }: Act<'instruction-refused'>['predicate']): Omit<ToldRefusal, 'timeMs'> {
  return { site, subject: printable(subject), rule: printable(rule), reason: printable(reason) };
}
