import { Injectable, type OnModuleDestroy } from '@nestjs/common';
import { CoordinatorError } from '../errors/index.js';
import { Database } from '../persistence/database.js';
import { Settings } from '../settings.js';
import { Log } from '../telemetry/log.js';
import { ReplicaRepository, type Sighting } from './replica.repository.js';

const BEAT_MS = 1000;
/** A coordinator that was not seen for so long is taken for dead: three beats, as a busy machine may miss one or two. */
export const ALIVE_MS = 3000;
/** For what must not happen while another one runs: longer, since a process can stand still and go on. */
const SURELY_GONE_MS = 15_000;
/** What a measured difference of clocks can be without there being one: two machines are rarely closer. */
const NEGLIGIBLE_MS = 50;
/** An answer that took longer says too little of what the time is. */
const LONGEST_ANSWER_MS = 500;

/** Coordinators on this database: that this one runs, when the others were seen, and what time it is for all of them. */
@Injectable()
export class Replicas implements OnModuleDestroy {
  readonly id: string;
  #address = '';
  #offsetMs = 0;
  #others: readonly Sighting[] = [];
  #timer: NodeJS.Timeout | undefined;
  #beating: Promise<void> = Promise.resolve();
  #isStopped = true;
  #hasFailed = false;

  constructor(
    private readonly database: Database,
    private readonly repository: ReplicaRepository,
    private readonly log: Log,
    settings: Settings,
  ) {
    this.id = settings.replica ?? 'alone';
  }

  /** On an embedded database there are no others, and nothing is written down. */
  async open(): Promise<void> {
    if (!this.database.isShared) return;
    this.#isStopped = false;
    await this.#beat();
    this.#schedule();
  }

  /** @param address where sites reach this one */
  listensOn(address: string): void {
    this.#address = address;
  }

  /** The time by the database's clock, in milliseconds: what one replica has stored, another one compares with it. */
  nowMs(): number {
    return Date.now() + this.#offsetMs;
  }

  /** As they were seen at the last beat. */
  get others(): readonly Sighting[] {
    return this.#others;
  }

  /** @throws CoordinatorError 'replicas-running' */
  async requireAlone(what: string): Promise<void> {
    if (!this.database.isShared) return;
    const { nowMs, others } = await this.database.transaction((manager) => this.repository.others(manager, this.id));
    const running = others.filter(({ isRunning, seenMs }) => isRunning && nowMs - seenMs < SURELY_GONE_MS);
    if (running.length === 0) return;
    throw new CoordinatorError(
      'replicas-running',
      `${what} changes the keys in this data folder only, and ${running.length} more of this consortium's coordinators run (${running.map(({ address }) => address || 'starting').join(', ')}). Nothing was changed. Stop them, try again ${SURELY_GONE_MS / 1000} s later if one was killed, and make their folders anew: coferment replica make --data DIR --out DIR`,
    );
  }

  async onModuleDestroy(): Promise<void> {
    clearTimeout(this.#timer);
    if (this.#isStopped) return;
    this.#isStopped = true;
    await this.#beating;
    try {
      await this.database.transaction((manager) => this.repository.stopped(manager, this.id));
    } catch (error) {
      this.log.error('the others could not be told that this coordinator stops', error);
    }
  }

  #schedule(): void {
    if (this.#isStopped) return;
    this.#timer = setTimeout(() => {
      this.#beating = this.#beat().then(
        () => this.#recovered(),
        (error: unknown) => this.#failed(error),
      );
      void this.#beating.then(() => this.#schedule());
    }, BEAT_MS);
  }

  async #beat(): Promise<void> {
    const askedMs = Date.now();
    await this.database.transaction(async (manager) => {
      const databaseMs = await this.repository.beat(manager, this.id, this.#address);
      this.#compare(databaseMs, askedMs, Date.now());
      this.#others = (await this.repository.others(manager, this.id)).others;
    });
  }

  #compare(databaseMs: number, askedMs: number, answeredMs: number): void {
    if (answeredMs - askedMs > LONGEST_ANSWER_MS) return;
    const offsetMs = Math.round(databaseMs - (askedMs + answeredMs) / 2);
    if (Math.abs(offsetMs - this.#offsetMs) > NEGLIGIBLE_MS) this.#offsetMs = offsetMs;
  }

  #recovered(): void {
    if (this.#hasFailed) this.log.info('the database answers again');
    this.#hasFailed = false;
  }

  /** Said once: it is tried again every second. */
  #failed(error: unknown): void {
    if (!this.#hasFailed) this.log.error('the database could not be told that this coordinator runs', error);
    this.#hasFailed = true;
  }
}
