import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { StartOptions } from '../coordinator.start.js';
import { makeReplica } from '../replicas/replica.folder.js';
import { TestCoordinator } from './coordinator.fixture.js';
import type { SiteCalls } from './site-calls.fixture.js';

/** Two coordinators of one consortium on one PostgreSQL database and one object folder, both in this process. Needs DATABASE_URL. */
export class TestReplicas {
  readonly objects = mkdtempSync(join(tmpdir(), 'coordinator-objects-'));
  readonly a: TestCoordinator;
  readonly b: TestCoordinator;

  constructor(options: Partial<StartOptions> = {}) {
    this.a = new TestCoordinator({ objects: this.objects, ...options });
    this.b = new TestCoordinator({ objects: this.objects, ...options, databaseUrl: this.a.database!.url });
  }

  async start(): Promise<this> {
    await this.a.start();
    await makeReplica(this.a.folder, this.b.folder);
    await this.b.start();
    return this;
  }

  get addresses(): string[] {
    return [this.a.running.address, this.b.running.address];
  }

  /** What is stopped already is left alone. */
  async remove(...running: TestCoordinator[]): Promise<void> {
    for (const coordinator of running) await coordinator.stop();
    await this.a.database!.drop();
    for (const folder of [this.a.folder, this.b.folder, this.objects]) rmSync(folder, { recursive: true, force: true });
  }
}

/** The calls of one site, each at the next coordinator in turn: as behind a balancer that spreads calls. */
export function inTurnAt(calls: SiteCalls, addresses: readonly string[]): SiteCalls {
  const each = addresses.map((address) => calls.at(address));
  let turn = 0;
  return new Proxy(calls, {
    get(_, property: keyof SiteCalls) {
      const next = each[turn % each.length]!;
      const value = next[property];
      if (property === 'close') return () => [...each, calls].forEach((one) => one.close());
      if (typeof value !== 'function') return value;
      turn++;
      return (value as (...given: unknown[]) => unknown).bind(next);
    },
  });
}
