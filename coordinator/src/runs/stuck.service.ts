import { epochSites } from '@coferment/consortium';
import { Injectable } from '@nestjs/common';
import { ModelService } from '../models/model.service.js';
import type { RoundRow } from '../rounds/round.entity.js';
import { newRound } from '../rounds/round.opening.js';
import { OPERATOR } from './act.entity.js';
import { needsModel } from './next.sum.js';
import { RunChanges } from './run.changes.js';
import { type RunView, nextSumNumber, present } from './run.view.js';
import { slots } from './slot.names.js';
import type { StuckStep } from './stuck.steps.js';

/** Stops a run at a sum that cannot go on, and takes it on again. Each method is one transaction. */
@Injectable()
export class StuckService {
  constructor(
    private readonly changes: RunChanges,
    private readonly models: ModelService,
  ) {}

  perform(view: RunView, step: StuckStep): Promise<void> {
    switch (step.do) {
      case 'block-waiting':
        return this.#block(view, step);
      case 'resume':
        return this.#resume(view, step);
      case 'open-new-set':
        return this.#openNewSet(view, step);
    }
  }

  /** A sum that has not been frozen begins a fresh attempt: who is there draws new nonces while the others are waited for. */
  #block(view: RunView, { sum, event, cause }: Extract<StuckStep, { do: 'block-waiting' }>): Promise<void> {
    const before = roundOf(view, sum);
    const fresh = event === 'stall' ? { attempt: before.attempt + 1, nonces: [], k: null } : {};
    const { run, kind, round } = before;
    return this.changes.apply(run, view.run.version, async (change) => {
      const e = present(view.epoch.e, 'E');
      await change.sign('round-stuck', stuckSlot(view, sum), {
        consortium: view.consortium,
        run,
        e,
        kind,
        sum,
        round,
        reason: cause.slice(0, 500),
      });
      await change.moveRound({ ...before, ...fresh, cause }, event);
      Object.assign(change.run, { cause, whatToDo: '' });
      await change.move('block', cause);
    });
  }

  /** Who was waited for has acted. The stage has its whole time again. */
  #resume(view: RunView, { sum, event }: Extract<StuckStep, { do: 'resume' }>): Promise<void> {
    return this.changes.apply(view.run.run, view.run.version, async (change) => {
      await change.moveRound({ ...roundOf(view, sum), cause: '', deadlineMs: change.nowMs + view.plan.quorum.deadline }, event);
      Object.assign(change.run, { cause: '', whatToDo: '' });
      await change.move('unblock', `Sum ${sum} goes on: enough of those who were waited for have acted.`);
    });
  }

  /** From the same model, with the vectors that sites have stored for it, under a number of its own. */
  async #openNewSet(view: RunView, { sum, slot, after }: Extract<StuckStep, { do: 'open-new-set' }>): Promise<void> {
    const before = roundOf(view, sum);
    const from = needsModel(view, before) ? await this.models.current(view) : undefined;
    const { kind, round } = before;
    const next = nextSumNumber(view);
    const excluded = epochSites(view.epoch.roster)
      .filter((site) => !after.includes(site))
      .map((site) => before.excluded.find((entry) => entry.site === site) ?? { site, reason: 'dropped' as const });
    await this.changes.apply(view.run.run, view.run.version, async (change) => {
      await change.moveRound({ ...before, closedMs: change.nowMs }, 'open-new-set');
      Object.assign(change.run, { cause: '', whatToDo: '' });
      await change.move(
        'unblock',
        `Everybody concerned has approved another set: sum ${sum} goes on as sum ${next} over ${after.join(', ')}.`,
      );
      const opened = newRound(view, { kind, sum: next, round, confirms: null, from, fixedSet: after, newSet: slot }, change.nowMs);
      await change.openRound({ ...opened, excluded });
    });
  }
}

/** A sum can stop more than once, and each time is in the ledger. */
function stuckSlot(view: RunView, sum: number): string {
  let stop = 1;
  while (view.acts.has('round-stuck', OPERATOR, slots.ofStop(sum, stop))) stop++;
  return slots.ofStop(sum, stop);
}

function roundOf(view: RunView, sum: number): RoundRow {
  return present(
    view.rounds.find((round) => round.sum === sum),
    `sum ${sum}`,
  );
}
