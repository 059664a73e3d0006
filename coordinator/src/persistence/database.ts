import type { Pool } from 'pg';
import type { DataSource, EntityManager } from 'typeorm';
import type { PostgresDriver } from 'typeorm/driver/postgres/PostgresDriver.js';

/** How long a transaction took, with the wait for a connection, and how it ended. */
export type TransactionListener = (seconds: number, outcome: 'committed' | 'failed') => void;

/**
 * The one way to the tables. Every repository takes the transaction's manager: on the embedded database a query beside an open transaction would
 * wait for that transaction for ever. Nothing inside a transaction may wait for the network, a file or a worker.
 */
export class Database {
  #told: TransactionListener = () => {};

  constructor(
    private readonly source: DataSource,
    private readonly stop: () => Promise<void>,
  ) {}

  /** From now on told of every transaction. */
  onTransaction(told: TransactionListener): void {
    this.#told = told;
  }

  /** Connections to a server, or to the embedded database, which has one. */
  connections(): { busy: number; idle: number; waiting: number } {
    const { totalCount, idleCount, waitingCount } = (this.source.driver as PostgresDriver).master as Pool;
    return { busy: totalCount - idleCount, idle: idleCount, waiting: waitingCount };
  }

  transaction<T>(work: (manager: EntityManager) => Promise<T>): Promise<T> {
    return this.#timed(() => this.source.transaction(work));
  }

  /** Reads several tables as they were at one moment, also while others write: a run's row and its acts must belong together. */
  snapshot<T>(work: (manager: EntityManager) => Promise<T>): Promise<T> {
    return this.#timed(() => this.source.transaction('REPEATABLE READ', work));
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

  async close(): Promise<void> {
    await this.source.destroy();
    await this.stop();
  }
}
