import { type ExclusionReason, ROUND_TABLE, RUN_TABLE } from '@coferment/consortium';
import { Injectable } from '@nestjs/common';
import { StatusService } from '../operator/status.service.js';
import { type RunView, isOver } from '../runs/run.view.js';
import { RunViews } from '../runs/run.views.js';
import { Metrics } from '../telemetry/metrics.js';

const RUN_STATES = Object.keys(RUN_TABLE.transitions);
const ROUND_STATES = Object.keys(ROUND_TABLE.transitions);
const KINDS = ['confirm', 'statistics', 'update', 'evaluate'] as const;
const REASONS: Record<ExclusionReason, true> = { late: true, dropped: true, refused: true, absent: true, 'set-aside': true };
const OUTCOMES = ['counted', ...Object.keys(REASONS)];
/** Runs that have series of their own, the newest first: more than a consortium has open at a time. */
const MOST_OPEN_RUNS = 32;

/** Runs and their sums as they are stored. Series of a run end with it, so runs of years do not pile up. */
@Injectable()
export class RunGauges {
  constructor(
    private readonly views: RunViews,
    private readonly state: StatusService,
    private readonly metrics: Metrics,
  ) {}

  /** @returns in how many runs each site is set aside now */
  async refresh(): Promise<ReadonlyMap<string, number>> {
    const views = await this.views.all();
    this.#states(views);
    return this.#open(views.filter((view) => !isOver(view)));
  }

  #states(views: readonly RunView[]): void {
    const { runs, sums, outcomes } = this.metrics;
    // Every state is there from the start: an alert on a series that does not exist never fires.
    for (const state of RUN_STATES) runs.set({ state }, 0);
    for (const kind of KINDS) for (const state of ROUND_STATES) sums.set({ kind, state }, 0);
    for (const outcome of OUTCOMES) outcomes.set({ outcome }, 0);
    for (const { run, rounds } of views) {
      runs.inc({ state: run.state });
      for (const round of rounds) {
        sums.inc({ kind: round.kind, state: round.state });
        if (round.kind !== 'update' || (round.state !== 'closed' && round.state !== 'abandoned')) continue;
        outcomes.inc({ outcome: 'counted' }, round.counted.length);
        for (const { reason } of round.excluded) outcomes.inc({ outcome: reason });
      }
    }
  }

  #open(views: readonly RunView[]): ReadonlyMap<string, number> {
    const { runRounds, runWaitingFor, runDeadline, runChanged } = this.metrics;
    for (const gauge of [runRounds, runWaitingFor, runDeadline, runChanged]) gauge.reset();
    const setAside = new Map<string, number>();
    const newestFirst = views.toSorted((a, b) => b.run.openedMs - a.run.openedMs);
    for (const [place, view] of newestFirst.entries()) {
      const status = this.state.of(view);
      for (const { site } of status.setAside) setAside.set(site, (setAside.get(site) ?? 0) + 1);
      if (place >= MOST_OPEN_RUNS) continue;
      const { run, roundsClosed, roundsPlanned, waitingFor, deadlineMs } = status;
      runRounds.set({ run, stage: 'closed' }, roundsClosed);
      runRounds.set({ run, stage: 'planned' }, roundsPlanned);
      runWaitingFor.set({ run }, waitingFor.length);
      if (deadlineMs > 0) runDeadline.set({ run }, deadlineMs / 1000);
      runChanged.set({ run }, lastChangeMs(view) / 1000);
    }
    return setAside;
  }
}

/** The newest of what is stored with a time: a run that stands still shows it, whatever it stands still in. */
function lastChangeMs(view: RunView): number {
  const rounds = view.rounds.flatMap(({ openedMs, closedMs }) => [openedMs, closedMs ?? 0]);
  return Math.max(view.run.openedMs, view.acts.lastReceivedMs, ...rounds);
}
