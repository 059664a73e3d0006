import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { ObjectPurpose } from '@coferment/proto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { temporaryFolder } from '../../client-agent/src/testing/temporary.folder.fixture.js';
import { TcpRelay } from '../../client-agent/src/testing/tcp.relay.fixture.js';
import { TestCoordinator } from '../../coordinator/src/testing/coordinator.fixture.js';
import type { ScriptedSite } from '../../coordinator/src/testing/scripted-site.fixture.js';
import { ServerDatabase } from '../../coordinator/src/testing/server-database.fixture.js';
import { COORDINATOR } from '../e2e/command.runner.js';

/** Whoever stops services waits 10 s before they kill. */
const LONGEST_STOP_MS = 10_000;
const SERVER = process.env['DATABASE_URL'];

describe('a coordinator that stops', () => {
  const coordinator = new TestCoordinator();
  let site: ScriptedSite;
  beforeAll(async () => {
    await coordinator.start();
    [site] = (await coordinator.join('alpha')) as [ScriptedSite];
  });
  afterAll(async () => {
    site.calls.close();
    await coordinator.remove();
  });

  it('ends held polls and idle uploads, refuses what is new, and is done soon', async () => {
    const { calls } = site;
    const code = (error: unknown) => (error as { code?: unknown }).code;
    const { owed } = await calls.poll([], '', 0);
    const held = calls.poll([], owed, 20_000).catch(code);
    // A header and nothing after it: a site whose line has died unnoticed.
    const idle = calls.uploads.upload(() => undefined);
    idle.on('error', () => undefined);
    const header = { digest: 'a'.repeat(64), size: 100, offset: 0, purpose: ObjectPurpose.OBJECT_PURPOSE_CIPHERTEXT, run: 'r1-x' };
    idle.write({ part: { $case: 'header', header } });
    await sleep(500);
    const beganMs = performance.now();
    const stopped = coordinator.stop();
    expect(await held).toBe('stopping');
    expect(performance.now() - beganMs).toBeLessThan(1000);
    expect(['stopping', 'unreachable']).toContain(await calls.poll([], '', 0).catch(code));
    await stopped;
    expect(performance.now() - beganMs).toBeLessThan(LONGEST_STOP_MS);
    await coordinator.start();
    // grpc-js dials again after a pause of its own.
    for (let turn = 0; turn < 100 && (await calls.poll([], '', 0).catch(code)) === 'unreachable'; turn++) await sleep(100);
    await expect(calls.poll([], '', 0)).resolves.toBeDefined();
  });
});

describe('the process of a coordinator', () => {
  const folder = temporaryFolder('stopped-coordinator');
  let database: ServerDatabase | undefined;
  let relay: TcpRelay | undefined;

  beforeAll(async () => {
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, 'passphrase'), 'a passphrase for tests\n', { mode: 0o600 });
    if (SERVER === undefined || SERVER === '') return;
    database = new ServerDatabase(SERVER);
    await database.create();
    relay = await TcpRelay.start({ host: new URL(SERVER).hostname, port: Number(new URL(SERVER).port || 5432) });
  });
  afterAll(async () => {
    await relay?.stop();
    await database?.drop();
  });

  async function started(): Promise<{ child: ChildProcess; ended: Promise<{ code: number | null; tookMs: () => number }> }> {
    const own = relay && database && Object.assign(new URL(database.url), { hostname: '127.0.0.1', port: String(relay.port) }).href;
    const named = ['--consortium', 'stopping', '--origin', 'ledger.localhost/stopping'];
    const args = ['start', '--data', join(folder, 'data'), ...named, '--passphrase-file', join(folder, 'passphrase'), '--json'];
    const child = spawn(process.execPath, ['--no-warnings', COORDINATOR, ...args], {
      env: { ...process.env, DATABASE_URL: own ?? '' },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    process.once('exit', () => child.kill('SIGKILL'));
    let signalledMs = 0;
    const kill = child.kill.bind(child);
    child.kill = (signal) => {
      signalledMs = performance.now();
      return kill(signal);
    };
    const ended = new Promise<{ code: number | null; tookMs: () => number }>((resolve) =>
      child.once('exit', (code) => {
        const tookMs = performance.now() - signalledMs;
        resolve({ code, tookMs: () => tookMs });
      }),
    );
    await new Promise<void>((resolve, reject) => {
      child.stdout!.on('data', (text: Buffer) => (text.includes('"listening"') ? resolve() : undefined));
      void ended.then(({ code }) => reject(new Error(`it ended with ${code} before it listened`)));
    });
    return { child, ended };
  }

  it('ends in order when it is told to', async () => {
    const { child, ended } = await started();
    child.kill('SIGTERM');
    const { code, tookMs } = await ended;
    expect(code).toBe(0);
    expect(tookMs()).toBeLessThan(LONGEST_STOP_MS);
    expect(readFileSync(join(folder, 'data', 'coordinator.log'), 'utf8')).not.toContain('"level":50');
  });

  it.skipIf(SERVER === undefined || SERVER === '')('ends in time although its database says nothing (needs DATABASE_URL)', async () => {
    const { child, ended } = await started();
    relay!.silence();
    await sleep(1500);
    child.kill('SIGTERM');
    const { code, tookMs } = await ended;
    expect(code).toBe(0);
    expect(tookMs()).toBeLessThan(LONGEST_STOP_MS);
    relay!.forget();
    const again = await started();
    again.child.kill('SIGTERM');
    expect((await again.ended).code).toBe(0);
  });
});
