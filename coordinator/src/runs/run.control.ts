import { formatDuration } from '@coferment/consortium';
import { Injectable } from '@nestjs/common';
import { extendedDeadline, extensibleRound } from './deadline.extension.js';
import { KeptTime } from './kept.time.js';
import type { RunChange } from './run.change.js';
import { RunChanges, StaleRun } from './run.changes.js';
import { afterPause, nextCount, requirePausable, requirePause } from './run.pause.js';
import { RunQueue } from './run.queue.js';
import { RunRepository } from './run.repository.js';
import { type RunView, openRounds } from './run.view.js';
import { RunViews } from './run.views.js';
import { slots } from './slot.names.js';

const MOST_TRIES = 5;

/** The operator's hand on a run that is going: its clock, and nothing that a site has approved. */
@Injectable()
export class RunControl {
  constructor(
    private readonly changes: RunChanges,
    private readonly repository: RunRepository,
    private readonly views: RunViews,
    private readonly queue: RunQueue,
    private readonly time: KeptTime,
  ) {}

  /**
   * From here on the coordinator takes no step in the run and asks nothing of its sites but to follow what is open already; what they send for an open sum
   * is stored all the same.
   * @throws CoordinatorError 'unknown-run', 'run-over', 'wrong-state'
   */
  pause(run: string, reason: string): Promise<void> {
    return this.#decide(run, async (view, change) => {
      requirePausable(view);
      const pause = nextCount(view, 'run-paused');
      await change.sign('run-paused', slots.ofCount(pause), { consortium: view.consortium, run, pause, reason });
      const cause = reason === '' ? 'The operator paused the run.' : `The operator paused the run: ${reason}`;
      Object.assign(change.run, {
        cause,
        whatToDo: `Nothing is asked of its sites and no deadline runs. Go on with: coferment resume ${run}`,
      });
      await change.move('pause', cause);
    });
  }

  /** Every open sum has as long as was left to it when the run was paused. @throws CoordinatorError 'unknown-run', 'wrong-state' */
  resume(run: string): Promise<void> {
    return this.#decide(run, async (view, change) => {
      const { predicate, receivedMs } = requirePause(view);
      const { pause } = predicate;
      await change.sign('run-resumed', slots.ofCount(pause), { consortium: view.consortium, run, pause });
      for (const round of openRounds(view)) {
        const deadlineMs = afterPause(round.deadlineMs, receivedMs, change.nowMs);
        await this.repository.saveRound(change.manager, { ...round, deadlineMs });
      }
      Object.assign(change.run, { cause: '', whatToDo: '' });
      await change.move('resume', 'The operator resumed the run; open deadlines are moved by the length of the pause.');
    });
  }

  /**
   * More time for the stage of a sum that collects from sites now; its next stage has the plan's time again.
   * @param byMs 1 and more
   * @returns the new deadline
   * @throws CoordinatorError 'unknown-run', 'run-over', 'wrong-state'
   */
  extend(run: string, sum: number, byMs: number, reason: string): Promise<number> {
    return this.#decide(run, async (view, change) => {
      const round = extensibleRound(view, sum);
      const deadlineMs = extendedDeadline(view, round, byMs, change.nowMs);
      const extension = nextCount(view, 'deadline-extended');
      await change.sign('deadline-extended', slots.ofCount(extension), { consortium: view.consortium, run, extension, sum, byMs, reason });
      await this.repository.saveRound(change.manager, { ...round, deadlineMs });
      const why = reason === '' ? '' : `: ${reason}`;
      await change.note('note', { sum, text: `The operator gave sum ${sum} ${formatDuration(byMs)} more${why}` });
      return deadlineMs;
    });
  }

  /** Decides on the run as it is when it is changed: a step in between is decided on again. */
  #decide<T>(run: string, work: (view: RunView, change: RunChange) => Promise<T>): Promise<T> {
    return this.queue.inTurn(run, async () => {
      for (let tries = 1; ; tries++) {
        // What has passed unseen moves the deadlines of a run that goes on, and not of one that this pauses.
        await this.time.nowMs();
        const view = await this.views.load(run);
        try {
          return await this.changes.apply(run, view.run.version, (change) => work(view, change));
        } catch (error) {
          if (!(error instanceof StaleRun) || tries === MOST_TRIES) throw error;
        }
      }
    });
  }
}
