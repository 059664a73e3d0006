import type { Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Pool } from 'pg';
import type { DataSource, EntityManager, QueryRunner } from 'typeorm';
import type { PostgresDriver } from 'typeorm/driver/postgres/PostgresDriver.js';
import { stoppingRefusal } from '../errors/index.js';
import { type DatabaseFault, databaseFaultOf, databaseRefusal } from './database.fault.js';

export interface DatabaseLimits {
  /** A transaction that takes longer is given up and its connection cut, in milliseconds; without it nothing is cut. */
  transactionMs?: number;
}

/** Told of every transaction: undefined when it went well or failed for a reason of its own. */
export type DatabaseWatcher = (fault: DatabaseFault | undefined) => void;

/** How long a transaction took, with the wait for a connection, and how it ended. */
export type TransactionListener = (seconds: number, outcome: 'committed' | 'failed') => void;

type Isolation = 'READ COMMITTED' | 'REPEATABLE READ';

/** What is still on its way when the coordinator stops is taken back by the server. */
const LONGEST_CLOSING_MS = 1500;

/** A PostgreSQL server as this process reaches it. */
export interface DatabaseServer {
  url: string;
  /** How this process calls itself there, on every connection. */
  processName: string;
}

/**
 * The one way to the tables. Every repository takes the transaction's manager: on the embedded database a query beside an open transaction would
 * wait for that transaction for ever. Nothing inside a transaction may wait for the network, a file or a worker.
 */
export class Database {
  #told: TransactionListener = () => {};
  #watcher: DatabaseWatcher = () => {};
  readonly #waiting = new Set<(error: Error) => void>();
  #isGivenUp = false;

  /** @param server where it is on a server, which other coordinators may use as well */
  constructor(
    private readonly source: DataSource,
    private readonly stop: () => Promise<void>,
    private readonly limits: DatabaseLimits = {},
    readonly server?: DatabaseServer,
  ) {}

  /** Whether others may change it beside this process. */
  get isShared(): boolean {
    return this.server !== undefined;
  }

  /** From now on told of every transaction. */
  onTransaction(told: TransactionListener): void {
    this.#told = told;
  }

  /** Connections to a server, or to the embedded database, which has one. */
  connections(): { busy: number; idle: number; waiting: number } {
    const { totalCount, idleCount, waitingCount } = (this.source.driver as PostgresDriver).master as Pool;
    return { busy: totalCount - idleCount, idle: idleCount, waiting: waitingCount };
  }

  watch(watcher: DatabaseWatcher): void {
    this.#watcher = watcher;
  }

  /** @throws CoordinatorError 'unavailable' or 'storage-full' when the database fails; what `work` throws otherwise */
  transaction<T>(work: (manager: EntityManager) => Promise<T>): Promise<T> {
    return this.#within('READ COMMITTED', work);
  }

  /** Reads several tables as they were at one moment, also while others write: a run's row and its acts must belong together. */
  snapshot<T>(work: (manager: EntityManager) => Promise<T>): Promise<T> {
    return this.#within('REPEATABLE READ', work);
  }

  /** What still waits for the database fails now, and so does all that comes: a server that says nothing must not keep the coordinator from stopping. */
  giveUp(): void {
    this.#isGivenUp = true;
    for (const end of this.#waiting) end(stoppingRefusal());
  }

  async close(): Promise<void> {
    await Promise.race([this.source.destroy(), sleep(LONGEST_CLOSING_MS, undefined, { ref: false })]);
    await this.stop();
  }

  #within<T>(isolation: Isolation, work: (manager: EntityManager) => Promise<T>): Promise<T> {
    if (this.#isGivenUp) return Promise.reject(stoppingRefusal());
    return new Promise((resolve, reject) => {
      this.#waiting.add(reject);
      void this.#timed(() => this.#made(isolation, work))
        .then(resolve, reject)
        .finally(() => this.#waiting.delete(reject));
    });
  }

  async #timed<T>(work: () => Promise<T>): Promise<T> {
    const startedMs = performance.now();
    let isDone = false;
    try {
      const answer = await work();
      isDone = true;
      return answer;
    } finally {
      this.#told((performance.now() - startedMs) / 1000, isDone ? 'committed' : 'failed');
    }
  }

  async #made<T>(isolation: Isolation, work: (manager: EntityManager) => Promise<T>): Promise<T> {
    let isLate = false;
    try {
      const runner = this.source.createQueryRunner();
      const timer = this.#limit(runner, () => (isLate = true));
      try {
        const result = await runner.manager.transaction(isolation, work);
        this.#watcher(undefined);
        return result;
      } finally {
        clearTimeout(timer);
        await runner.release();
      }
    } catch (error) {
      const fault = isLate ? 'slow' : databaseFaultOf(error);
      if (fault === undefined) throw error;
      if (fault !== 'busy') this.#watcher(fault);
      throw databaseRefusal(fault, error);
    }
  }

  /** A server that a firewall has cut off says nothing, for ever. Without its connection everything that waits for an answer fails at once, and the pool makes a new one. */
  #limit(runner: QueryRunner, late: () => void): NodeJS.Timeout | undefined {
    const { transactionMs } = this.limits;
    if (transactionMs === undefined) return undefined;
    return setTimeout(() => {
      late();
      void runner.connect().then((client: { connection?: { stream?: Socket } }) => client.connection?.stream?.destroy());
    }, transactionMs);
  }
}
