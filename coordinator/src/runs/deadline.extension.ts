import { CoordinatorError } from '../errors/index.js';
import type { RoundRow } from '../rounds/round.entity.js';
import { pausedSinceMs } from './run.pause.js';
import { type RunView, isOver } from './run.view.js';

/** The sum whose deadline can be moved. @throws CoordinatorError 'run-over', 'wrong-state' saying why this sum's cannot */
export function extensibleRound(view: RunView, sum: number): RoundRow {
  const { run, state } = view.run;
  if (isOver(view)) throw new CoordinatorError('run-over', `Run ${run} is ${state}; no deadline runs in it.`);
  const refuse = (why: string) =>
    new CoordinatorError('wrong-state', `The deadline of sum ${sum} of run ${run} cannot be extended: ${why} Nothing was changed.`);
  const round = view.rounds.find((candidate) => candidate.sum === sum);
  if (round === undefined) throw refuse(`the run has no such sum. See its sums: coferment run ${run}.`);
  switch (round.state) {
    case 'training':
    case 'ready':
    case 'uploading':
      if (round.fixedSet === null) return round;
      throw refuse(`it completes a sum over ${round.fixedSet.join(', ')} and waits for all of them, without a deadline.`);
    case 'stalled':
      throw refuse('it waits for every site of its set, without a deadline.');
    case 'frozen':
    case 'attesting':
    case 'decrypting':
    case 'garbled':
    case 'applying':
    case 'stuck':
      throw refuse(`it is "${round.state}": who is counted is fixed, and nobody more can join.`);
    case 'closed':
    case 'abandoned':
    case 'superseded':
      throw refuse(`it is ${round.state}. See the open ones: coferment run ${run}.`);
  }
}

/** From its deadline on, or from now where that is over. While a run is paused its clock stands at the beginning of the pause. */
export function extendedDeadline(view: RunView, { deadlineMs }: RoundRow, byMs: number, nowMs: number): number {
  return Math.max(deadlineMs, pausedSinceMs(view) ?? nowMs) + byMs;
}
