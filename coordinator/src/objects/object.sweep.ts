import { Injectable, type OnModuleDestroy } from '@nestjs/common';
import { Database } from '../persistence/database.js';
import { isOver } from '../runs/run.view.js';
import { RunViews } from '../runs/run.views.js';
import { Clock } from '../telemetry/clock.js';
import { HealthProbe } from '../telemetry/health.probe.js';
import { Log } from '../telemetry/log.js';
import { ObjectRepository } from './object.repository.js';
import { ObjectStore } from './object.store.js';
import { type StoredFile, digestIn, isOrphan } from './orphan.rule.js';

/** A start has better things to do. */
const FIRST_MS = 60_000;
const EVERY_MS = 86_400_000;
const AT_ONCE = 500;

/** Removes what nothing needs any more, once a day: what kills have left behind, and what the plans of runs that are over keep no longer. */
@Injectable()
export class ObjectSweep implements OnModuleDestroy {
  #timer: NodeJS.Timeout | undefined;
  #sweeping: Promise<unknown> = Promise.resolve();
  #stopped = false;

  constructor(
    private readonly store: ObjectStore,
    private readonly repository: ObjectRepository,
    private readonly database: Database,
    private readonly views: RunViews,
    private readonly clock: Clock,
    private readonly probe: HealthProbe,
    private readonly log: Log,
  ) {}

  start(afterMs = FIRST_MS): void {
    if (this.#stopped) return;
    this.#timer = setTimeout(() => {
      this.#sweeping = this.#quietly().then(() => this.start(EVERY_MS));
    }, afterMs).unref();
  }

  async onModuleDestroy(): Promise<void> {
    this.#stopped = true;
    clearTimeout(this.#timer);
    await this.#sweeping;
  }

  /** @returns what was removed. Coordinators that share the store may do this at once: each finds gone what another one has removed. */
  async *swept(): AsyncGenerator<StoredFile> {
    await this.#giveUpByPlans();
    for await (const file of this.orphans()) if (await this.store.remove(file)) yield file;
  }

  /** What no row names, and {@link swept} would remove. */
  async *orphans(): AsyncGenerator<StoredFile> {
    for await (const files of inParts(this.store.files(), AT_ONCE)) {
      if (this.#stopped) return;
      const digests = files.flatMap((file) => digestIn(file) ?? []);
      // After the files were found: a row that is written since is seen, one that is written later has a young file.
      const named = new Set(await this.database.transaction((manager) => this.repository.named(manager, digests)));
      yield* files.filter((file) => isOrphan(file, named, this.clock.nowMs()));
    }
  }

  async #giveUpByPlans(): Promise<void> {
    for (const view of await this.views.all()) {
      const { run, closedMs } = view.run;
      const nowMs = this.clock.nowMs();
      if (!isOver(view) || closedMs === null || nowMs - closedMs <= view.plan.retention.ciphertexts) continue;
      const count = await this.database.transaction((manager) => this.repository.giveUp(manager, run, nowMs));
      if (count > 0) this.log.info(`${count} ciphertexts and shares are given up by the plan's retention`, { run });
    }
  }

  async #quietly(): Promise<void> {
    try {
      let [files, bytes] = [0, 0];
      for await (const { size } of this.swept()) {
        files += 1;
        bytes += size;
      }
      if (files > 0) this.log.info(`${files} files that nothing needs were removed, with ${bytes} bytes`);
    } catch (error) {
      if (!this.#stopped && !this.probe.explains(error)) this.log.error('sweeping the object store failed', error);
    }
  }
}

async function* inParts<T>(items: AsyncIterable<T>, count: number): AsyncGenerator<T[]> {
  let part: T[] = [];
  for await (const item of items) {
    part.push(item);
    if (part.length < count) continue;
    yield part;
    part = [];
  }
  if (part.length > 0) yield part;
}
