import { randomBytes } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { Database } from '../persistence/database.js';
import { Log } from '../telemetry/log.js';
import { ReplicaRepository } from './replica.repository.js';

/** After a kill, work stands still for so long at most, and then for one tick of the others. */
const LEASE_MS = 5000;
const RENEW_MS = 1500;

/**
 * Work that would be wasted if two coordinators did it: one holds a lease while it works, and whoever finds it lapsed takes it over. A lease saves work, it is no lock: a
 * process that stood still may go on beside its successor, and then the version of the run decides whose result counts.
 */
@Injectable()
export class WorkLeases {
  /** Of this process, not of its folder: one that is started again has none of the work of the one that was killed. */
  readonly #holder = randomBytes(8).toString('hex');

  constructor(
    private readonly database: Database,
    private readonly repository: ReplicaRepository,
    private readonly log: Log,
  ) {}

  /**
   * Does the work if nobody else does it now.
   * @param work is told when another one may have taken it over
   * @returns whether it was done
   */
  async whileHeld(name: string, work: (lost: AbortSignal) => Promise<void>): Promise<boolean> {
    const lost = new AbortController();
    if (!this.database.isShared) {
      await work(lost.signal);
      return true;
    }
    if (!(await this.#take(name))) return false;
    const renewal = setInterval(() => {
      this.#take(name).then(
        (held) => held || lost.abort(),
        (error: unknown) => this.log.error(`the lease "${name}" could not be renewed`, error),
      );
    }, RENEW_MS);
    try {
      await work(lost.signal);
    } finally {
      clearInterval(renewal);
      await this.#end(name);
    }
    return true;
  }

  #take(name: string): Promise<boolean> {
    return this.database.transaction((manager) => this.repository.takeLease(manager, name, this.#holder, LEASE_MS));
  }

  /** What cannot be given back lapses. */
  async #end(name: string): Promise<void> {
    try {
      await this.database.transaction((manager) => this.repository.endLease(manager, name, this.#holder));
    } catch (error) {
      this.log.error(`the lease "${name}" could not be given back`, error);
    }
  }
}
