import { setTimeout as sleep } from 'node:timers/promises';
import { PGlite } from '@electric-sql/pglite';
import { PGLiteSocketServer } from '@electric-sql/pglite-socket';
import type { DataSource } from 'typeorm';
import { SumOpener } from '../../../coordinator/src/aggregation/sum.opener.js';
import { AgentPort } from '../../../coordinator/src/agent-port/agent.port.js';
import { Database } from '../../../coordinator/src/persistence/database.js';
import { RunReconciler } from '../../../coordinator/src/runs/run.reconciler.js';
import { Clock } from '../../../coordinator/src/telemetry/clock.js';
import { TestCoordinator } from '../../../coordinator/src/testing/coordinator.fixture.js';
import { replaceMethod } from './replaced.method.js';

/** How long the kernel may take to give the port of a dead instance to the next. */
const PORT_FREE_WITHIN_MS = 5_000;

/** The embedded databases of this process by folder: a database outlives the coordinator that it is dropped under, as a server does. */
const kept = new Map<string, PGlite>();
/** Those that have not been stopped. */
const servers = new Set<PGLiteSocketServer>();

/** From here on an embedded database that was not closed is opened again as it is. */
export function keepDatabases(): void {
  type Create = (folder: string) => Promise<PGlite>;
  replaceMethod(PGlite as unknown as { create: Create }, 'create', (create) => async (folder) => {
    const open = kept.get(folder);
    if (open !== undefined && !open.closed) return open;
    const opened = await create.call(PGlite, folder);
    kept.set(folder, opened);
    return opened;
  });
  replaceMethod(
    PGLiteSocketServer.prototype,
    'start',
    (start) =>
      function (this: PGLiteSocketServer) {
        servers.add(this);
        return start.call(this);
      },
  );
}

/** A coordinator that can be dropped: without shutdown, at an instant, with the stores staying as they are. */
export class DroppedCoordinator extends TestCoordinator {
  readonly #dead = new WeakSet<Database>();
  #gone: Promise<unknown> = Promise.resolve();
  isDown = false;
  /** The time at which the clock stands; it then goes on with {@link pass} only. */
  #standsAtMs: number | undefined;

  override async start(): Promise<this> {
    await super.start();
    const clock = this.running.context.get(Clock);
    const nowMs = clock.nowMs.bind(clock);
    clock.nowMs = () => this.#standsAtMs ?? nowMs();
    return this;
  }

  override pass(ms: number): void {
    super.pass(ms);
    if (this.#standsAtMs !== undefined) this.#standsAtMs += ms;
  }

  /** For this instance and all after it. */
  stopClock(): void {
    this.#standsAtMs ??= this.nowMs;
  }

  isDead(database: Database): boolean {
    return this.#dead.has(database);
  }

  /**
   * As by SIGKILL: nothing of this instance reaches the database, a file or the network any more, its connections are cut (which rolls back what they had
   * under way), and its threads and locks are the kernel's again.
   */
  drop(): void {
    const { context } = this.running;
    const database = context.get(Database);
    this.#dead.add(database);
    this.isDown = true;
    this.operator.close();
    context.get(AgentPort).onModuleDestroy();
    // Both only stop timers and threads at once; that they then wait for work which never ends is nobody's concern.
    void context.get(RunReconciler).onModuleDestroy();
    void context.get(SumOpener).onModuleDestroy();
    cutConnections(database);
    Object.assign(context, { close: () => Promise.resolve() });
    this.#gone = Promise.all([...[...servers].map((server) => server.stop()), this.running.stop()]);
    servers.clear();
  }

  /** A new instance on the same stores. @returns seconds that it took */
  async startAgain(): Promise<number> {
    const startedMs = performance.now();
    await this.#gone;
    for (const endMs = Date.now() + PORT_FREE_WITHIN_MS; ; await sleep(20)) {
      try {
        await this.start();
        break;
      } catch (error) {
        if ((error as { code?: string }).code !== 'unreachable' || Date.now() > endMs) throw error;
      }
    }
    this.isDown = false;
    return (performance.now() - startedMs) / 1000;
  }
}

interface Pool {
  _clients: { connection: { stream: { destroy(): void } } }[];
}

function cutConnections(database: Database): void {
  const { source } = database as unknown as { source: DataSource };
  const { master } = source.driver as unknown as { master: Pool };
  for (const { connection } of master._clients) connection.stream.destroy();
}
