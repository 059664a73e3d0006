import { type EpochPosition, type Plan, type Roster, type SumPosition, epochSites } from '@coferment/consortium';
import type { EpochRow } from '../epochs/epoch.entity.js';
import type { RoundRow } from '../rounds/round.entity.js';
import type { ActIndex } from './act.index.js';
import type { RunRow } from './run.entity.js';

/** Everything stored about a run. What is owed and what comes next are functions of this alone. */
export interface RunView {
  consortium: string;
  run: RunRow;
  plan: Plan;
  /** The current key epoch. */
  epoch: EpochRow;
  /** Those before it, in order: sums that were opened in them are still read and applied. */
  earlierEpochs: EpochRow[];
  /** In the order of their numbers. */
  rounds: RoundRow[];
  acts: ActIndex;
}

const FINAL = ['completed', 'aborted', 'failed'];

export function isOver(view: RunView): boolean {
  return FINAL.includes(view.run.state);
}

/** Whether the run is between others and exactly this identity: whoever has joined under the name since is somebody else. */
export function isMember(view: RunView, { site, identityKey }: { site: string; identityKey: string | null }): boolean {
  return firstRoster(view).sites.some((member) => member.site === site && member.identityKey === identityKey);
}

/** The members that these names stand for in this run. */
export function membersOf(view: RunView, sites: readonly string[]): Roster['sites'] {
  return firstRoster(view).sites.filter(({ site }) => sites.includes(site));
}

/** A later key epoch may leave sites out; none ever takes one in. */
function firstRoster(view: RunView): Roster {
  return (view.earlierEpochs[0] ?? view.epoch).roster;
}

/** Whether the run has something to say to this member: also that it went on without it. */
export function concerns(view: RunView, member: { site: string; identityKey: string | null }): boolean {
  return isMember(view, member) || view.run.notApproved.includes(member.site);
}

/** Whether the run still needs something of this member. */
export function countsOn(view: RunView, member: { site: string; identityKey: string | null }): boolean {
  return !isOver(view) && isMember(view, member) && !view.epoch.roster.leftOut.includes(member.site);
}

/** Sums that have not come to an end: all confirm sums of an epoch at once, then one at a time. */
export function openRounds(view: RunView): RoundRow[] {
  return view.rounds.filter((round) => !['closed', 'abandoned', 'superseded'].includes(round.state));
}

export function closedRounds(view: RunView): RoundRow[] {
  return view.rounds.filter((round) => round.state === 'closed');
}

/** The number that the next sum gets; they grow through all key epochs. */
export function nextSumNumber(view: RunView): number {
  return (view.rounds.at(-1)?.sum ?? 0) + 1;
}

/** Sites that may contribute to a sum. */
export function sitesOf(view: RunView, round: RoundRow): string[] {
  if (round.confirms !== null) return [round.confirms];
  return round.fixedSet ?? epochSites(epochOf(view, round).roster);
}

/** The key epoch that a sum belongs to. */
export function epochOf(view: RunView, round: RoundRow): EpochRow {
  if (round.epoch === view.epoch.epoch) return view.epoch;
  return present(
    view.earlierEpochs.find(({ epoch }) => epoch === round.epoch),
    `epoch ${round.epoch}`,
  );
}

/** @throws TypeError before the roster is complete */
export function epochPosition(view: RunView): EpochPosition {
  const { run, epoch, e0 } = view.epoch;
  return { consortium: view.consortium, run, epoch, e0: present(e0, 'E0') };
}

/** @throws TypeError before the epoch is agreed */
export function sumPosition(view: RunView, round: RoundRow): SumPosition {
  const { run, sum, epoch, kind, attempt } = round;
  return { consortium: view.consortium, run, epoch, e: present(epochOf(view, round).e, 'E'), kind, sum, attempt };
}

/** For values that the run's state guarantees. */
export function present<T>(value: T | null | undefined, what: string): T {
  if (value === null || value === undefined) throw new TypeError(`${what} is not there yet`);
  return value;
}
