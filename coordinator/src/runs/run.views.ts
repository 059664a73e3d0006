import { type Plan, parsePlan } from '@coferment/consortium';
import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { CoordinatorError } from '../errors/index.js';
import { ConsortiumIdentity } from '../identity/consortium.identity.js';
import { ObjectStore } from '../objects/object.store.js';
import { Database } from '../persistence/database.js';
import { SharedReading } from '../persistence/shared.reading.js';
import { ActIndex } from './act.index.js';
import type { RunRow } from './run.entity.js';
import { RunRepository } from './run.repository.js';
import { type RunView, present } from './run.view.js';

/** Reads runs. A view is kept until the run's stored version differs, so the database stays the truth and polls stay cheap. */
@Injectable()
export class RunViews {
  readonly #kept = new Map<string, RunView>();
  /** By digest. A plan never changes. */
  readonly #plans = new Map<string, Plan>();
  readonly #all = new SharedReading(() => this.reading((manager) => this.allIn(manager)));

  constructor(
    private readonly database: Database,
    private readonly repository: RunRepository,
    private readonly store: ObjectStore,
    private readonly identity: ConsortiumIdentity,
  ) {}

  /** @throws CoordinatorError 'unknown-run' */
  load(run: string): Promise<RunView> {
    return this.reading((manager) => this.#loadIn(manager, run));
  }

  /** All runs, oldest first. */
  all(): Promise<readonly RunView[]> {
    return this.#all.fresh();
  }

  /** To be called within {@link reading}. */
  async allIn(manager: EntityManager): Promise<readonly RunView[]> {
    const views: RunView[] = [];
    for (const row of await this.repository.runs(manager)) views.push(await this.#viewOf(manager, row));
    return views;
  }

  /** One snapshot. Plans lie in the object store, perhaps far away: they are read between transactions, never in one, and then `work` begins again. */
  async reading<T>(work: (manager: EntityManager) => Promise<T>): Promise<T> {
    for (;;) {
      try {
        return await this.database.snapshot(work);
      } catch (error) {
        if (!(error instanceof UnreadPlan)) throw error;
        const bytes = await this.store.read(error.digest);
        this.#plans.set(error.digest, parsePlan(JSON.parse(new TextDecoder().decode(bytes))));
      }
    }
  }

  async #loadIn(manager: EntityManager, run: string): Promise<RunView> {
    const row = await this.repository.run(manager, run);
    if (row === null)
      throw new CoordinatorError('unknown-run', `There is no run "${run.slice(0, 60)}". List the runs with: coferment status`);
    return this.#viewOf(manager, row);
  }

  async #viewOf(manager: EntityManager, row: RunRow): Promise<RunView> {
    const { run } = row;
    const kept = this.#kept.get(run);
    // A read that began earlier may end later; acts that are known are never taken back, so it is not to go back either.
    if (kept !== undefined && kept.run.version >= row.version) return kept;
    const plan = this.#plans.get(row.plan);
    if (plan === undefined) throw new UnreadPlan(row.plan);
    const acts = kept?.acts ?? new ActIndex();
    acts.add(await this.repository.acts(manager, run, acts.lastSequence));
    const epochs = await this.repository.epochs(manager, run);
    const view: RunView = {
      consortium: this.identity.facts.consortium,
      run: row,
      plan,
      epoch: present(
        epochs.find(({ epoch }) => epoch === row.epoch),
        `epoch ${row.epoch}`,
      ),
      earlierEpochs: epochs.filter(({ epoch }) => epoch < row.epoch),
      rounds: await this.repository.rounds(manager, run),
      acts,
    };
    this.#kept.set(run, view);
    return view;
  }
}

/** A run's plan is still to be read. */
class UnreadPlan extends Error {
  constructor(readonly digest: string) {
    super(`the plan ${digest} is still to be read`);
  }
}
