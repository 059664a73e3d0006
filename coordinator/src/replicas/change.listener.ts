import { once } from 'node:events';
import { setTimeout as pause } from 'node:timers/promises';
import { Injectable, type OnModuleDestroy } from '@nestjs/common';
import { Client } from 'pg';
import { Database, type DatabaseServer } from '../persistence/database.js';
import { ChangeNotifier } from '../telemetry/change.notifier.js';
import { Log } from '../telemetry/log.js';
import { WitnessingService } from '../witnessing/witnessing.service.js';

const CHANNEL = 'coferment_changed';
/** How long a connection may be dead without anybody having been told. */
const PING_MS = 5000;
const CONNECT_MS = 5000;
/** Between tries to connect; until one works, changes of others are looked for as often. */
const AGAIN_MS = 1000;

/**
 * Wakes those who wait here when another coordinator has changed something. The database tells it in the transaction of the change; notifications carry no state, so one
 * that is lost costs time, never truth.
 */
@Injectable()
export class ChangeListener implements OnModuleDestroy {
  readonly #stop = new AbortController();
  #running: Promise<void> = Promise.resolve();
  #taking: Promise<void> = Promise.resolve();

  constructor(
    private readonly database: Database,
    private readonly notifier: ChangeNotifier,
    private readonly witnessing: WitnessingService,
    private readonly log: Log,
  ) {}

  /** On an embedded database nobody else makes changes. To be called when the ledger is open. */
  start(): void {
    const { server } = this.database;
    if (server !== undefined) this.#running = this.#run(server);
  }

  async onModuleDestroy(): Promise<void> {
    this.#stop.abort();
    await this.#running;
    await this.#taking;
  }

  async #run(server: DatabaseServer): Promise<void> {
    let isSaid = false;
    while (!this.#stop.signal.aborted) {
      try {
        await this.#listen(server, () => {
          if (isSaid) this.log.info('notifications of the database come again');
          isSaid = false;
        });
      } catch (error) {
        if (this.#stop.signal.aborted) return;
        if (!isSaid) this.log.error('no notifications come from the database; changes are looked for every second', error);
        isSaid = true;
        this.#heard();
        await pause(AGAIN_MS, undefined, { signal: this.#stop.signal }).catch(() => undefined);
      }
    }
  }

  /** Returns when it is to stop. @throws Error when the connection ends */
  async #listen({ url, processName }: DatabaseServer, connected: () => void): Promise<void> {
    const client = new Client({ connectionString: url, connectionTimeoutMillis: CONNECT_MS, query_timeout: PING_MS, keepAlive: true });
    const { signal } = this.#stop;
    const ended = once(client, 'end', { signal }).then(() => {
      throw new Error('the connection was ended');
    });
    // Both are raced below; whichever comes second is nobody's.
    ended.catch(() => undefined);
    client.on('error', () => undefined);
    client.on('notification', ({ payload }) => {
      if (payload !== processName) this.#heard();
    });
    try {
      await client.connect();
      await client.query(`LISTEN ${CHANNEL}`);
      connected();
      // Whatever happened before it listened.
      this.#heard();
      while (!signal.aborted) {
        await Promise.race([pause(PING_MS, undefined, { signal }), ended]);
        await client.query('SELECT 1');
      }
    } catch (error) {
      if (!signal.aborted) throw error;
    } finally {
      await client.end().catch(() => undefined);
    }
  }

  #heard(): void {
    this.notifier.changed();
    this.#taking = this.witnessing.freshen().catch((error: unknown) => {
      if (!this.#stop.signal.aborted) this.log.error('what another coordinator has published could not be taken in', error);
    });
  }
}
