import { Injectable } from '@nestjs/common';
import { Log } from './log.js';

/** What a coordinator cannot do without, and is looked at while it runs. */
export type CheckName = 'database' | 'disk' | 'objects' | 'ledger' | 'log-file' | 'clock';

export type HealthState = 'starting' | 'ready' | 'degraded' | 'stopping';

export interface Check {
  name: CheckName;
  ok: boolean;
  /** What is wrong and what to do, for people; empty while it is well. */
  detail: string;
}

export interface HealthReport {
  /** False only when a restart would help: a fault from outside is waited out. */
  live: boolean;
  /** Whether a balancer should send calls here. */
  ready: boolean;
  state: HealthState;
  checks: Check[];
}

/** Without the database nothing can be answered; with any other fault this process still reads and tells what is wrong. */
const NEEDED_FOR_CALLS: ReadonlySet<CheckName> = new Set(['database']);

const NAMES: readonly CheckName[] = ['database', 'disk', 'objects', 'ledger', 'log-file', 'clock'];

/** How well this process is. Each fault is logged when it begins and when it ends, not with every call that meets it. */
@Injectable()
export class Health {
  #phase: 'starting' | 'running' | 'stopping' = 'starting';
  readonly #faults = new Map<CheckName, string>();

  constructor(private readonly log: Log) {}

  started(): void {
    if (this.#phase === 'starting') this.#phase = 'running';
  }

  stopping(): void {
    this.#phase = 'stopping';
  }

  get isStopping(): boolean {
    return this.#phase === 'stopping';
  }

  /** @param detail what is wrong and what to do. @returns whether this is news */
  failed(name: CheckName, detail: string): boolean {
    const isNew = !this.#faults.has(name);
    this.#faults.set(name, detail);
    if (isNew) this.log.warn(`degraded: ${detail}`, { code: name });
    return isNew;
  }

  passed(name: CheckName): void {
    if (this.#faults.delete(name)) this.log.info('well again', { code: name });
  }

  /** What is wrong with one part; undefined while it is well. */
  faultOf(name: CheckName): string | undefined {
    return this.#faults.get(name);
  }

  /** Everything that is wrong, in words for people; empty while all is well. */
  get faults(): string[] {
    return NAMES.flatMap((name) => this.#faults.get(name) ?? []);
  }

  get state(): HealthState {
    if (this.#phase !== 'running') return this.#phase;
    return this.#faults.size === 0 ? 'ready' : 'degraded';
  }

  report(): HealthReport {
    const checks = NAMES.map((name) => ({ name, ok: !this.#faults.has(name), detail: this.#faults.get(name) ?? '' }));
    const ready = this.#phase === 'running' && checks.every(({ name, ok }) => ok || !NEEDED_FOR_CALLS.has(name));
    return { live: true, ready, state: this.state, checks };
  }
}
