import type { RunStatus, WatchRunResponse } from '@coferment/proto';
import type { MemberFolders } from '../../../demo/src/members/member.folders.js';
import type { FaultSchedule, Patience } from './fault.schedule.js';
import { launch } from './consortium.founding.js';
import type { FoundedConsortium } from './founded.consortium.js';
import { complaintOf } from './site.complaint.js';
import { everybodyHeard } from './run.ends.js';
import { RunFollower } from './run.follower.js';
import { SchedulePlayer } from './schedule.player.js';
import { ScheduleStage } from './schedule.stage.js';

/** Many times what a run under faults takes on two busy cores; a run that needs longer hangs. */
const END_WITHIN_MS = 120_000;

/** A run with its folders, as a schedule finds it. */
export interface Prepared {
  readonly folders: MemberFolders;
  /** Undefined before the launch. */
  readonly run: string | undefined;
}

/** What one schedule did to one run. */
export interface Performance {
  readonly run: RunStatus | undefined;
  readonly folders: MemberFolders;
  /** What went wrong with the processes themselves, and what sites complained of. */
  readonly faults: readonly string[];
  readonly recoveriesMs: readonly number[];
  readonly log: readonly string[];
  readonly tookMs: number;
  readonly unplayed: number;
}

/** Copies what is prepared, launches the run or lets it go on, plays the schedule on it, and stops everybody when every site knows that the run is over. */
export async function perform(founded: FoundedConsortium, prepared: Prepared, schedule: FaultSchedule, name: string): Promise<Performance> {
  const startedMs = Date.now();
  const folders = founded.copyTo(name, prepared.folders);
  const faults: string[] = [];
  let player: SchedulePlayer | undefined;
  const stage = new ScheduleStage(founded, folders, {
    siteTold: (site, event) => {
      const fault = complaintOf(site, event);
      if (fault !== undefined) faults.push(fault);
      player?.siteTold(site, event);
    },
    lost: (message) => faults.push(message),
  });
  player = new SchedulePlayer(schedule, stage, founded.lines);
  let run: RunStatus | undefined;
  try {
    await stage.startAll();
    const id = prepared.run ?? (await launch(stage.client!, founded.plans.get(schedule.patience)!));
    player.begun();
    const playing = player;
    run = await new RunFollower(stage, id, (event) => playing.runMoved(event)).toTheEnd(END_WITHIN_MS);
    await player.settled();
    faults.push(...(await everybodyHeard(folders, id)));
  } catch (error) {
    faults.push((error as Error).message);
  } finally {
    faults.push(...(await stage.stop()));
  }
  const { recoveriesMs, log, unplayed } = player;
  return { run, folders, faults, recoveriesMs, log, tookMs: Date.now() - startedMs, unplayed: unplayed.length };
}

/** A run whose key ceremony is over, stopped in order: what comes after can be played many times from there. */
export async function prepareKeys(founded: FoundedConsortium, patience: Patience): Promise<Prepared> {
  const folders = founded.copyTo(`keys-${patience}`);
  const faults: string[] = [];
  const stage = new ScheduleStage(founded, folders, { siteTold: () => undefined, lost: (message) => faults.push(message) });
  let run: string;
  try {
    run = await confirmKeys(stage, founded.plans.get(patience)!);
  } finally {
    faults.push(...(await stage.stop()));
  }
  if (faults.length > 0) throw new Error(faults.join('\n'));
  return { folders, run };
}
async function confirmKeys(stage: ScheduleStage, plan: string): Promise<string> {
  await stage.startAll();
  const run = await launch(stage.client!, plan);
  const confirmed = Promise.withResolvers<void>();
  const take = ({ type, state }: WatchRunResponse) => {
    if (type === 'run-state' && state === 'running') confirmed.resolve();
  };
  const ended = new RunFollower(stage, run, take).toTheEnd(END_WITHIN_MS).catch(() => undefined);
  await Promise.race([confirmed.promise, ended.then(() => Promise.reject(new Error(`The keys of ${run} were not confirmed.`)))]);
  return run;
}
