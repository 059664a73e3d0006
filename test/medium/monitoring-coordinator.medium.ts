import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { TestCoordinator, workUntil } from '../../coordinator/src/testing/coordinator.fixture.ts';
import type { ScriptedSite } from '../../coordinator/src/testing/scripted-site.fixture.ts';
import { Health } from '../../coordinator/src/telemetry/health.ts';
import { Database } from '../../coordinator/src/persistence/database.ts';
import { type Family, lintFamilies, parseExposition } from '../monitoring/exposition.format.ts';

const NAMES = ['alder', 'birch', 'cedar'];
const LOG_FIELDS = [
  'level',
  'time',
  'pid',
  'msg',
  'err',
  'times',
  'run',
  'site',
  'sum',
  'round',
  'state',
  'method',
  'code',
  'durationMs',
  'address',
];
let test: TestCoordinator;
let sites: ScriptedSite[];
let run: string;
let url: string;

beforeAll(async () => {
  test = await new TestCoordinator({ monitor: { listen: '127.0.0.1:0' }, logLevel: 'debug' }).start();
  url = test.running.monitorUrl!;
  sites = await test.join(...NAMES);
  run = await test.launch();
});
afterAll(() => test.remove());

async function scraped(): Promise<Family[]> {
  const answer = await fetch(`${url}/metrics`);
  expect(answer.headers.get('content-type')).toMatch(/^text\/plain; version=0\.0\.4/);
  return parseExposition(await answer.text());
}

/** Without those of the process, whose names are the library's. */
const ownOf = (families: readonly Family[]) => families.filter(({ name }) => name.startsWith('coferment_'));

function valueOf(families: readonly Family[], name: string, labels: Record<string, string> = {}): number | undefined {
  const samples = families.flatMap((family) => family.samples).filter((sample) => sample.name === name);
  return samples.find((sample) => Object.entries(labels).every(([label, value]) => sample.labels[label] === value))?.value;
}

describe('the metrics of a coordinator with a run', () => {
  it('are sound in form and name, before anything has happened and after a whole run', async () => {
    const before = await scraped();
    expect(lintFamilies(ownOf(before))).toEqual([]);
    expect(valueOf(before, 'coferment_runs', { state: 'awaiting-approval' })).toBe(1);
    expect(valueOf(before, 'coferment_run_waiting_for_sites', { run })).toBe(3);
    expect(valueOf(before, 'coferment_runs', { state: 'stuck' })).toBe(0);

    await workUntil(sites, async () => (await test.run(run)).state === 'completed');
    await new Promise((resolve) => setTimeout(resolve, 1100));
    const after = await scraped();
    expect(lintFamilies(ownOf(after))).toEqual([]);
    expect(valueOf(after, 'coferment_state_readable')).toBe(1);
    expect(valueOf(after, 'coferment_runs', { state: 'completed' })).toBe(1);
    expect(valueOf(after, 'coferment_run_waiting_for_sites', { run })).toBeUndefined();
    expect(valueOf(after, 'coferment_sums', { kind: 'update', state: 'closed' })).toBe(1);
    expect(valueOf(after, 'coferment_site_outcomes', { outcome: 'counted' })).toBe(3);
    expect(valueOf(after, 'coferment_sites', { role: 'site', state: 'enrolled' })).toBe(3);
    expect(valueOf(after, 'coferment_site_present', { site: 'alder' })).toBe(1);
    expect(valueOf(after, 'coferment_site_certificate_expiry_timestamp_seconds', { site: 'alder' })).toBeGreaterThan(Date.now() / 1000);
    expect(valueOf(after, 'coferment_certificate_expiry_timestamp_seconds', { certificate: 'server' })).toBeGreaterThan(Date.now() / 1000);
    expect(valueOf(after, 'coferment_calls_total', { method: 'PollingService/Poll', code: 'ok' })).toBeGreaterThan(4);
    expect(valueOf(after, 'coferment_step_duration_seconds_count', { step: 'open-sum' })).toBeGreaterThanOrEqual(5);
    expect(valueOf(after, 'coferment_database_transaction_duration_seconds_count', { outcome: 'committed' })).toBeGreaterThan(10);
    const bytes = valueOf(after, 'coferment_stored_object_bytes', { purpose: 'ciphertext' });
    expect(valueOf(after, 'coferment_object_received_bytes_total', { purpose: 'ciphertext' })).toBeGreaterThan(0);
    expect(bytes).toBeDefined();
    const stored = valueOf(after, 'coferment_ledger_entries', { stage: 'stored' });
    expect(stored).toBeGreaterThan(20);
    expect(valueOf(after, 'coferment_ledger_entries', { stage: 'signed' })).toBe(stored);
  });

  it('name no digest and no run that is over, and have few series', async () => {
    const families = await scraped();
    const labels = families.flatMap(({ samples }) => samples.flatMap((sample) => Object.values(sample.labels)));
    expect(labels.filter((label) => /[0-9a-f]{16}/.test(label))).toEqual([]);
    const own = ownOf(families).flatMap(({ samples }) => samples);
    expect(own.length).toBeLessThan(900);
  });

  it('come also while the database cannot be read, without a state that may not hold any more', async () => {
    await new Promise((resolve) => setTimeout(resolve, 1100));
    const database = test.running.context.get(Database);
    const away = vi.spyOn(database, 'snapshot').mockRejectedValue(new Error('the database is away'));
    try {
      const families = await scraped();
      expect(valueOf(families, 'coferment_state_readable')).toBe(0);
      expect(valueOf(families, 'coferment_runs', { state: 'completed' })).toBeUndefined();
      expect(valueOf(families, 'process_cpu_user_seconds_total')).toBeGreaterThan(0);
    } finally {
      away.mockRestore();
    }
  });
});

describe('health and readiness', () => {
  it('are told apart: what a restart would not mend is not dead', async () => {
    const ask = async (path: string) => {
      const answer = await fetch(`${url}${path}`);
      return { status: answer.status, body: (await answer.json()) as { checks?: { name: string; ok: boolean; detail: string }[] } };
    };
    expect(await ask('/healthz')).toMatchObject({ status: 200, body: { live: true } });
    expect(await ask('/readyz')).toMatchObject({ status: 200, body: { ready: true } });
    const health = test.running.context.get(Health);
    // The database answers all the while, which would be noted at once.
    const passed = vi.spyOn(health, 'passed').mockImplementation(() => undefined);
    health.failed('database', 'The database does not answer.');
    expect(await ask('/healthz')).toMatchObject({ status: 200 });
    const { status, body } = await ask('/readyz');
    expect(status).toBe(503);
    expect(body.checks).toContainEqual({ name: 'database', ok: false, detail: 'The database does not answer.' });
    expect(valueOf(await scraped(), 'coferment_ready')).toBe(0);
    passed.mockRestore();
    health.passed('database');
    expect(await ask('/readyz')).toMatchObject({ status: 200 });
  });

  it('are for this machine, and there is nothing else', async () => {
    const port = new URL(url).port;
    const { request } = await import('node:http');
    const status = await new Promise((resolve) => {
      request({ host: '127.0.0.1', port, path: '/metrics', headers: { host: 'rebound.example' } }, ({ statusCode }) =>
        resolve(statusCode),
      ).end();
    });
    expect(status).toBe(403);
    expect((await fetch(`${url}/`)).status).toBe(404);
    expect((await fetch(`${url}/metrics`, { method: 'POST', body: 'x' })).status).toBe(404);
  });
});

describe('a call that is refused', () => {
  it('is counted each time, and stands in the log once, with method, caller, code and duration', async () => {
    for (let time = 0; time < 5; time++) await expect(test.run('r9-none')).rejects.toMatchObject({ code: 'unknown-run' });
    const refused = { method: 'OperatorService/GetRun', code: 'unknown-run' };
    expect(valueOf(await scraped(), 'coferment_calls_total', refused)).toBe(5);
    const lines = readFileSync(join(test.folder, 'coordinator.log'), 'utf8').split('\n');
    const told = lines.filter((line) => line.includes('unknown-run')).map((line) => JSON.parse(line) as object);
    expect(told).toEqual([
      expect.objectContaining({ ...refused, msg: 'a call was refused', site: '@operator', durationMs: expect.any(Number) }),
    ]);
  });
});

describe('the log of a whole run', () => {
  it('has lines of closed fields, names run and sum of every step, and nothing that anybody sent', async () => {
    const text = readFileSync(join(test.folder, 'coordinator.log'), 'utf8');
    const lines = text
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    for (const line of lines) expect(Object.keys(line).filter((key) => !LOG_FIELDS.includes(key))).toEqual([]);
    const opened = lines.filter(({ msg }) => msg === 'open-sum');
    expect(opened.length).toBeGreaterThanOrEqual(5);
    for (const line of opened) expect(line).toMatchObject({ run, sum: expect.any(Number), durationMs: expect.any(Number) });
    expect(opened.at(-1)).toMatchObject({ round: 1 });
    expect(lines).toContainEqual(
      expect.objectContaining({ msg: 'a call has ended', method: 'PollingService/Poll', site: 'alder', code: 'ok' }),
    );
    const entries = await test.running.context.get(Database).transaction((manager) => manager.query('SELECT payload FROM ledger_entry'));
    for (const { payload } of entries as { payload: Buffer }[]) expect(text).not.toContain(payload.toString('base64').slice(0, 40));
    for (const object of readdirSync(join(test.folder, 'objects'))) expect(text).not.toContain(object.length === 64 ? object : 'partial/');
    expect(text).not.toContain('a passphrase for tests');
  });
});
