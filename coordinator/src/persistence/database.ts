import type { DataSource, EntityManager } from 'typeorm';

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
  /** @param server where it is on a server, which other coordinators may use as well */
  constructor(
    private readonly source: DataSource,
    private readonly stop: () => Promise<void>,
    readonly server?: DatabaseServer,
  ) {}

  /** Whether others may change it beside this process. */
  get isShared(): boolean {
    return this.server !== undefined;
  }

  transaction<T>(work: (manager: EntityManager) => Promise<T>): Promise<T> {
    return this.source.transaction(work);
  }

  /** Reads several tables as they were at one moment, also while others write: a run's row and its acts must belong together. */
  snapshot<T>(work: (manager: EntityManager) => Promise<T>): Promise<T> {
    return this.source.transaction('REPEATABLE READ', work);
  }

  async close(): Promise<void> {
    await this.source.destroy();
    await this.stop();
  }
}
