import { Injectable, type OnModuleDestroy } from '@nestjs/common';
import { AggregationService } from '../aggregation/aggregation.service.js';
import { DamagedObject } from '../aggregation/damaged.object.js';
import { EpochService } from '../epochs/epoch.service.js';
import { Replicas } from '../replicas/replicas.service.js';
import { WorkLeases } from '../replicas/work.leases.js';
import { PresenceElsewhere } from '../rounds/presence.elsewhere.js';
import { Presence } from '../rounds/presence.js';
import { RoundService } from '../rounds/round.service.js';
import { Log } from '../telemetry/log.js';
import { DamagedFiles } from './damaged.files.js';
import { type Step, nextStep } from './next.step.js';
import { RunChanges, StaleRun } from './run.changes.js';
import { giveUp } from './run.closing.js';
import { blockRun } from './run.blocking.js';
import { RunQueue } from './run.queue.js';
import { type RunView, isOver, membersOf } from './run.view.js';
import { RunViews } from './run.views.js';

const TICK_MS = 500;

/**
 * Takes every run as far as it goes without its sites: after every accepted act, and on a tick for deadlines and absences. It remembers nothing that
 * decides: after a crash the same stored state leads to the same next step.
 */
@Injectable()
export class RunReconciler implements OnModuleDestroy {
  #timer: NodeJS.Timeout | undefined;
  #ticking: Promise<void> = Promise.resolve();
  /** Runs that a tick has set going and that have not come to rest: one that opens a large sum must not keep the others waiting. */
  readonly #going = new Map<string, Promise<void>>();

  constructor(
    private readonly views: RunViews,
    private readonly changes: RunChanges,
    private readonly queue: RunQueue,
    private readonly presence: Presence,
    private readonly epochs: EpochService,
    private readonly rounds: RoundService,
    private readonly aggregation: AggregationService,
    private readonly damages: DamagedFiles,
    private readonly log: Log,
    private readonly replicas: Replicas,
    private readonly leases: WorkLeases,
    private readonly elsewhere: PresenceElsewhere,
  ) {}

  start(): void {
    this.#timer = setTimeout(() => {
      this.#ticking = this.#tick().then(() => {
        if (this.#timer !== undefined) this.start();
      });
    }, TICK_MS);
  }

  async onModuleDestroy(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    await this.#ticking;
    await Promise.all(this.#going.values());
  }

  /** Takes all steps that are due in a run. Faults are logged, and tried again at the next tick. */
  async advance(run: string): Promise<void> {
    try {
      while (await this.queue.inTurn(run, () => this.#step(run)));
    } catch (error) {
      if (!(error instanceof StaleRun)) this.log.error('a step of a run failed', error, { run });
    }
  }

  async #tick(): Promise<void> {
    try {
      await this.elsewhere.follow();
      for (const view of await this.views.all()) {
        const { run } = view.run;
        if (isOver(view) || this.#going.has(run)) continue;
        this.#going.set(
          run,
          this.advance(run).finally(() => this.#going.delete(run)),
        );
      }
    } catch (error) {
      this.log.error('the tick failed', error);
    }
  }

  async #step(run: string): Promise<boolean> {
    const view = await this.views.load(run);
    const nowMs = this.replicas.nowMs();
    const beganMs = Date.now();
    const { absentAfterPolls } = view.plan.quorum;
    const step = nextStep(view, (sites) => this.presence.absent(membersOf(view, sites), beganMs, absentAfterPolls), nowMs);
    if (step === undefined || (step.do === 'open-sum' && this.damages.isPostponed(run, nowMs))) return false;
    try {
      if (step.do !== 'open-sum') await this.#perform(view, step);
      // Another one opens it. When that is killed, a later tick finds its lease lapsed.
      else if (!(await this.leases.whileHeld(`open sums of ${run}`, () => this.#open(view, step)))) return false;
    } catch (error) {
      if (!(error instanceof DamagedObject) || step.do !== 'open-sum') throw error;
      await this.#waitForFile(view, step.sum, error);
      return false;
    }
    this.damages.clear(run);
    this.log.info(step.do, { run, ...('sum' in step ? { sum: step.sum } : {}), durationMs: Date.now() - beganMs });
    return true;
  }

  /** Whoever had the lease until now may have opened it: heavy work is not begun on a run that has gone on. */
  async #open(view: RunView, step: Extract<Step, { do: 'open-sum' }>): Promise<void> {
    const { run, version } = view.run;
    if ((await this.views.load(run)).run.version === version) await this.#perform(view, step);
  }

  /** Said once: every try after it would say the same. */
  async #waitForFile(view: RunView, sum: number, error: DamagedObject): Promise<void> {
    const { run, version } = view.run;
    if (!this.damages.note(run, sum, error, Date.now())) return;
    this.log.error('a stored file is damaged', error, { run });
    await this.changes.apply(run, version, (change) => change.note('note', { sum, text: error.message }));
  }

  #perform(view: RunView, step: Step): Promise<void> {
    switch (step.do) {
      case 'narrow-roster':
        return this.epochs.narrow(view, step);
      case 'give-up':
        return this.changes.apply(view.run.run, view.run.version, (change) => giveUp(change, view, step));
      case 'start-epoch':
        return this.epochs.start(view);
      case 'publish-roster':
        return this.epochs.publishRoster(view);
      case 'seal-epoch':
        return this.epochs.seal(view);
      case 'block':
        return this.changes.apply(view.run.run, view.run.version, (change) => blockRun(change, step));
      case 'close-list':
        return this.rounds.closeList(view, step.sum, step.excluded);
      case 'abandon':
        return this.rounds.abandon(view, step.sum, step.excluded);
      case 'new-attempt':
        return this.rounds.newAttempt(view, step.sum);
      case 'freeze':
        return this.rounds.freeze(view, step.sum, step.counted, step.dropped);
      case 'ask-attestation':
        return this.rounds.askAttestation(view, step.sums);
      case 'certify':
        return this.rounds.certify(view, step.sums);
      case 'open-sum':
        return this.aggregation.open(view, step.sum);
      case 'open-again':
        return this.rounds.tryAgain(view, step.sum);
      case 'block-over-sum':
        return this.rounds.block(view, step.sum);
    }
  }
}
