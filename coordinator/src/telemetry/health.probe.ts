import { Injectable, type OnModuleDestroy } from '@nestjs/common';
import { storageErrno } from '../errors/index.js';
import { BucketFault } from '../objects/bucket.fault.js';
import { ObjectStore } from '../objects/object.store.js';
import { Database } from '../persistence/database.js';
import type { DatabaseFault } from '../persistence/database.fault.js';
import { PublicationService } from '../publication/publication.service.js';
import { Settings } from '../settings.js';
import { Clock } from './clock.js';
import { Health } from './health.js';
import { LogFile } from './log.file.js';

const EVERY_MS = 2000;
/** A large object may find no room where the probe does, so what a write has met counts for longer than a probe. */
const REMEMBERED_MS = 20_000;

const DATABASE: Readonly<Record<DatabaseFault, string>> = {
  gone: 'The database does not answer. Start it, or mend the network to it',
  slow: 'The database takes too long to answer. Look at its load and locks, and at the network to it',
  full: 'The database has no room left. Make room on its disk',
  'read-only':
    'The database takes no changes: it is a standby or was set read-only. Point DATABASE_URL at the primary, or make it writable',
  busy: 'Changes meet in the database',
};

/** Looks every two seconds at what the coordinator stands on, so that a fault is known before a site meets it, and its end without a restart. */
@Injectable()
export class HealthProbe implements OnModuleDestroy {
  #timer: NodeJS.Timeout | undefined;
  #looking: Promise<void> = Promise.resolve();
  #stopped = false;
  #diskFaultMs = Number.NEGATIVE_INFINITY;

  constructor(
    private readonly health: Health,
    database: Database,
    private readonly publication: PublicationService,
    private readonly settings: Settings,
    private readonly store: ObjectStore,
    private readonly clock: Clock,
    private readonly logFile: LogFile,
  ) {
    database.watch((fault) => this.#databaseSaid(fault));
  }

  start(): void {
    if (this.#stopped) return;
    this.#timer = setTimeout(() => {
      this.#looking = this.look().then(() => this.start());
    }, EVERY_MS);
  }

  async onModuleDestroy(): Promise<void> {
    this.#stopped = true;
    clearTimeout(this.#timer);
    await this.#looking;
  }

  /** Whether the error is one of what the coordinator stands on. It is then told as health, once, and not with every call that meets it. */
  explains(error: unknown): boolean {
    const errno = storageErrno(error);
    if (errno !== undefined) {
      this.#diskFaultMs = this.clock.steadyMs();
      this.health.failed('disk', this.#diskText(errno));
      return true;
    }
    if (error instanceof BucketFault) {
      this.#objectsSaid(error);
      return true;
    }
    return error instanceof Error && 'code' in error && ['unavailable', 'storage-full', 'stopping'].includes(String(error.code));
  }

  async look(): Promise<void> {
    await Promise.all([this.#lookAtDatabase(), this.#lookAtDisk()]);
    if (this.logFile.fault === undefined) this.health.passed('log-file');
    else
      this.health.failed(
        'log-file',
        `The log cannot be written (${this.logFile.fault}): lines are lost. Make room in ${this.settings.folder}.`,
      );
  }

  /** Also takes in what was committed when the answer to the commit was lost, and what other coordinators have added. */
  async #lookAtDatabase(): Promise<void> {
    try {
      await this.publication.follow();
      this.health.passed('ledger');
    } catch (error) {
      if (!this.explains(error)) this.health.failed('ledger', 'The ledger cannot be brought up to date; the cause is in the log.');
    }
  }

  async #lookAtDisk(): Promise<void> {
    try {
      await this.store.probe();
      if (this.clock.steadyMs() - this.#diskFaultMs > REMEMBERED_MS) this.health.passed('disk');
      this.health.passed('objects');
    } catch (error) {
      if (error instanceof BucketFault) return this.#objectsSaid(error);
      const errno = (error as NodeJS.ErrnoException).code ?? 'unknown';
      this.health.failed('disk', this.#diskText(errno));
    }
  }

  #objectsSaid({ detail }: BucketFault): void {
    this.health.failed('objects', `${detail}; runs wait, and go on by themselves.`);
  }

  #databaseSaid(fault: DatabaseFault | undefined): void {
    if (fault === undefined) this.health.passed('database');
    else if (fault === 'full') {
      // It still answers those who read.
      this.#diskFaultMs = this.clock.steadyMs();
      this.health.failed('disk', `${DATABASE.full}; runs wait, and go on by themselves.`);
    } else this.health.failed('database', `${DATABASE[fault]}. Until then nothing is taken or told; the coordinator goes on by itself.`);
  }

  #diskText(errno: string): string {
    const todo =
      errno === 'ENOSPC' || errno === 'EDQUOT'
        ? `There is no room left in ${this.store.folder} (${errno}). Make room there`
        : `Files in ${this.store.folder} cannot be written or read (${errno}). Look at the disk and how it is mounted`;
    return `${todo}; runs wait, and go on by themselves.`;
  }
}
