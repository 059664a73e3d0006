import { CoordinatorError } from '../errors/index.js';
import { type Act } from './act.index.js';
import { OPERATOR } from './act.entity.js';
import type { RunView } from './run.view.js';
import { slots } from './slot.names.js';

type Counted = 'run-paused' | 'deadline-extended';

/** The number of the next act of a name in a run, from 1: without it two pauses for one reason would be the same signed bytes. */
export function nextCount(view: RunView, name: Counted): number {
  let count = 1;
  while (view.acts.has(name, OPERATOR, slots.ofCount(count))) count++;
  return count;
}

/** The pause that a run is in; undefined while it is not paused. */
export function pauseOf(view: RunView): Act<'run-paused'> | undefined {
  if (view.run.state !== 'paused') return undefined;
  return view.acts.find('run-paused', OPERATOR, slots.ofCount(nextCount(view, 'run-paused') - 1));
}

export function pausedSinceMs(view: RunView): number | undefined {
  return pauseOf(view)?.receivedMs;
}

/**
 * What was left of a deadline when the run was paused is left of it again. Counted from the two readings of the clock and not from the deadline, so a clock
 * that was set forward or back in between neither ends the round at once nor holds it open.
 */
export function afterPause(deadlineMs: number, pausedMs: number, resumedMs: number): number {
  return resumedMs + (deadlineMs - pausedMs);
}

/** @throws CoordinatorError 'run-over', 'wrong-state' saying what to do in the state that the run is in */
export function requirePausable(view: RunView): void {
  const { run, state } = view.run;
  const refuse = (why: string) => new CoordinatorError('wrong-state', `Run ${run} cannot be paused: ${why} Nothing was changed.`);
  switch (state) {
    case 'running':
      return;
    case 'draft':
    case 'awaiting-approval':
      throw refuse(`it is "${state}", so nothing is asked of its sites yet but their approval. To end it: coferment abort ${run}.`);
    case 'key-ceremony':
      throw refuse(`it is in the ceremony of key epoch ${view.run.epoch}. Wait until it is running, or end it: coferment abort ${run}.`);
    case 'stuck':
      throw refuse(`it is stuck, so no deadline runs and nothing new is asked of its sites. What to do: coferment run ${run}.`);
    case 'paused':
      throw refuse(`it is paused already, since ${new Date(pausedSinceMs(view) ?? 0).toISOString()}. Go on with: coferment resume ${run}.`);
    case 'completed':
    case 'aborted':
    case 'failed':
      throw new CoordinatorError('run-over', `Run ${run} is ${state} already; there is nothing to pause.`);
  }
}

/** @throws CoordinatorError 'wrong-state' */
export function requirePause(view: RunView): Act<'run-paused'> {
  const pause = pauseOf(view);
  if (pause !== undefined) return pause;
  const { run, state } = view.run;
  throw new CoordinatorError(
    'wrong-state',
    `Run ${run} is "${state}"; only a paused run is resumed. Nothing was changed. See it: coferment run ${run}`,
  );
}
