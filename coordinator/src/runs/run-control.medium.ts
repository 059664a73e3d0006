import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { verifyExport } from '@coferment/ledger';
import type { Instruction } from '@coferment/proto';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { exportLedger } from '../cli/ledger.export.js';
import { readLedger, statementsOf } from '../cli/ledger.reader.js';
import { ask } from '../cli/operator.client.js';
import { operatorProgram } from '../cli/program.js';
import { PASSPHRASE, PLAN_TEXT, TestCoordinator, workUntil } from '../testing/coordinator.fixture.js';
import type { ScriptedSite } from '../testing/scripted-site.fixture.js';

/** Real keys in a run, on a machine that does other things too. */
vi.setConfig({ testTimeout: 300_000, hookTimeout: 300_000 });
const MINUTE = 60_000;

/** A deadline that ran on during a pause would end this run. */
const PLAN = PLAN_TEXT.replace('deadline: 10 h', 'deadline: 5 min, onDeadline: abandon');
const REASON = 'stocktaking at two sites';

const coordinator = new TestCoordinator();
let sites: ScriptedSite[];
let run: string;

const call = {
  pause: (reason = REASON) => ask(coordinator.operator.operator.pauseRun.bind(coordinator.operator.operator), { run, reason }),
  resume: () => ask(coordinator.operator.operator.resumeRun.bind(coordinator.operator.operator), { run }),
  extend: (sum: number, byMs: number) =>
    ask(coordinator.operator.operator.extendDeadline.bind(coordinator.operator.operator), { run, sum, byMs, reason: 'a slow line' }),
};
/** The command as it is typed, in this process. What it prints for programs, and its exit code. */
async function typed(...words: string[]): Promise<{ exitCode: number; printed: unknown }> {
  const printed: string[] = [];
  const spies = [process.stdout, process.stderr].map((stream) =>
    vi.spyOn(stream, 'write').mockImplementation((text) => {
      if (stream === process.stdout) printed.push(String(text));
      return true;
    }),
  );
  const passphraseFile = join(coordinator.folder, 'typed');
  writeFileSync(passphraseFile, PASSPHRASE, { mode: 0o600 });
  process.exitCode = 0;
  try {
    const where = ['--data', coordinator.folder, '--passphrase-file', passphraseFile, '--json'];
    await operatorProgram().parseAsync(['node', 'coferment', ...words, ...where]);
    return { exitCode: process.exitCode, printed: JSON.parse(printed.join('')) as unknown };
  } finally {
    process.exitCode = 0;
    for (const spy of spies) spy.mockRestore();
  }
}

const owed = async (site: ScriptedSite) => (await site.calls.poll([site.position], '', 0)).instructions;
const told = async (site: ScriptedSite) => (await site.calls.poll([site.position], '', 0)).runs.find((view) => view.run === run);
const kindsOf = (instructions: readonly Instruction[]) => instructions.map(({ kind }) => kind?.$case);
const round = async (sum: number) => (await coordinator.run(run)).rounds.find((candidate) => candidate.sum === sum);
const follow = async (site: ScriptedSite, instructions: readonly Instruction[]) => {
  for (const { kind } of instructions) await site.follow(kind!);
};

beforeAll(async () => {
  await coordinator.start();
  sites = await coordinator.join('alpha', 'beta', 'gamma');
});
afterAll(async () => {
  for (const site of sites) site.calls.close();
  await coordinator.remove();
});

describe('a run with a time to start at', () => {
  it('is approved before, and starts then', async () => {
    await expect(coordinator.launch(PLAN, [], 0, coordinator.nowMs - 1)).rejects.toMatchObject({ code: 'malformed' });
    const startAtMs = coordinator.nowMs + MINUTE;
    run = await coordinator.launch(PLAN, [], 0, startAtMs);
    for (const site of sites) await site.work();
    await coordinator.rest(run);
    const waits = expect.stringContaining(`starts at ${new Date(startAtMs).toISOString()}`);
    expect(await coordinator.run(run)).toMatchObject({ state: 'awaiting-approval', startAtMs, waitingFor: [], whatToDo: waits });
    expect(await told(sites[0]!)).toMatchObject({ state: 'awaiting-approval', cause: waits });
    expect(kindsOf(await owed(sites[0]!))).toEqual([]);
    await expect(call.pause()).rejects.toMatchObject({
      code: 'wrong-state',
      message: expect.stringMatching(/awaiting-approval.*coferment abort/),
    });

    coordinator.pass(MINUTE);
    await coordinator.rest(run);
    expect(await coordinator.run(run)).toMatchObject({ state: 'key-ceremony' });
    await expect(call.pause()).rejects.toMatchObject({ code: 'wrong-state', message: expect.stringMatching(/ceremony of key epoch 1/) });
  });
});

describe('a run that is paused while its sites train', () => {
  let deadlineMs: number;

  it('asks nothing of them, takes what was on its way, and lets no deadline pass', async () => {
    // The sum opens while they work: whoever is next would begin with it.
    for (const site of sites) site.faults.leavesUndone = (step, { kind }) => kind === 'update' && step === 'prepareSum';
    await workUntil(sites, async () => (await round(4)) !== undefined);
    for (const site of sites) site.faults.leavesUndone = () => false;
    const instructed = await Promise.all(sites.map(owed));
    expect(instructed.map(kindsOf)).toEqual(sites.map(() => expect.arrayContaining(['prepareSum'])));
    ({ deadlineMs } = await coordinator.run(run));
    await call.pause();
    for (const [index, site] of sites.entries()) await follow(site, instructed[index]!);
    coordinator.pass(10 * MINUTE);
    await coordinator.rest(run);
    expect(await round(4)).toMatchObject({ state: 'training', attempt: 1 });
    expect(await coordinator.run(run)).toMatchObject({
      state: 'paused',
      pausedMs: expect.toSatisfy((ms: number) => ms > 0 && ms < deadlineMs),
      waitingFor: [],
      deadlineMs: 0,
      cause: `The operator paused the run: ${REASON}`,
      whatToDo: expect.stringContaining(`coferment resume ${run}`),
    });
    expect(await told(sites[0]!)).toMatchObject({ state: 'paused', cause: expect.stringContaining(REASON) });
    for (const site of sites) expect(kindsOf(await owed(site))).toEqual([]);
  });

  it('stays paused over a restart, and is told apart from one that runs', async () => {
    await coordinator.stop();
    await coordinator.start();
    await coordinator.rest(run);
    expect(await coordinator.run(run)).toMatchObject({ state: 'paused' });
    await expect(call.pause()).rejects.toMatchObject({
      code: 'wrong-state',
      message: expect.stringMatching(/paused already.*coferment resume/),
    });
    const { operator } = coordinator.operator;
    const renewed = ask(operator.renewEpoch.bind(operator), { run, epoch: 2, leaveOut: '', replaceHolder: '' });
    await expect(renewed).rejects.toMatchObject({ code: 'no-new-epoch', message: expect.stringMatching(/coferment resume/) });
  });

  it('has as long after it as was left before, and goes on with what came meanwhile', async () => {
    const before = await coordinator.run(run);
    await call.resume();
    await coordinator.rest(run);
    expect(await round(4)).toMatchObject({ state: 'uploading', attempt: 1 });
    expect(await coordinator.run(run)).toMatchObject({ state: 'running', pausedMs: 0, cause: '' });
    expect((await coordinator.run(run)).fingerprint).toBe(before.fingerprint);
    await expect(call.resume()).rejects.toMatchObject({ code: 'wrong-state' });
  });

  it('keeps an upload that arrives in a pause, and is given more time', async () => {
    const [alpha] = sites as [ScriptedSite];
    const instructed = await owed(alpha);
    expect(kindsOf(instructed)).toEqual(['encrypt']);
    const left = (await coordinator.run(run)).deadlineMs;
    await expect(call.extend(3, MINUTE)).rejects.toMatchObject({ code: 'wrong-state', message: expect.stringMatching(/sum 3 .*closed/) });
    await expect(call.extend(4, 0)).rejects.toMatchObject({ code: 'malformed' });
    expect(await typed('extend', run, '--by', '1 min', '--reason', 'a slow line')).toEqual({
      exitCode: 0,
      printed: { run, byMs: MINUTE, sums: [{ sum: 4, deadlineMs: left + MINUTE }] },
    });
    expect((await coordinator.run(run)).deadlineMs).toBe(left + MINUTE);

    expect(await typed('pause', run, '--reason', REASON)).toEqual({ exitCode: 0, printed: { run, state: 'paused' } });
    expect(await typed('pause', run)).toMatchObject({ exitCode: 1, printed: { error: { code: 'wrong-state' } } });
    const { pausedMs } = await coordinator.run(run);
    await follow(alpha, instructed);
    coordinator.pass(10 * MINUTE);
    const resumedAfterMs = coordinator.nowMs;
    expect(await typed('resume', run)).toEqual({ exitCode: 0, printed: { run, state: 'running' } });
    const { deadlineMs: moved, waitingFor } = await coordinator.run(run);
    expect(moved - (left + MINUTE)).toBeGreaterThanOrEqual(resumedAfterMs - pausedMs);
    expect(moved).toBeGreaterThan(coordinator.nowMs);
    expect(waitingFor).toEqual(['beta', 'gamma']);
  });

  it('comes to its model, with every act of the operator in a ledger that holds', async () => {
    await workUntil(sites, () => sites.every((site) => site.closed));
    expect(await coordinator.run(run)).toMatchObject({ state: 'completed' });
    const statements = statementsOf(await readLedger(coordinator.operator));
    const acts = statements.flatMap(({ name, predicate }) =>
      /^(run-paused|run-resumed|deadline-extended)$/.test(name) ? [{ name, ...predicate }] : [],
    );
    expect(acts).toMatchObject([
      { name: 'run-paused', pause: 1, reason: REASON },
      { name: 'run-resumed', pause: 1 },
      { name: 'deadline-extended', extension: 1, sum: 4, byMs: MINUTE },
      { name: 'run-paused', pause: 2, reason: REASON },
      { name: 'run-resumed', pause: 2 },
    ]);
    const out = mkdtempSync(join(tmpdir(), 'ledger-'));
    await exportLedger(coordinator.operator, out);
    const { checks } = await verifyExport((path) => readFile(join(out, path)).catch(() => undefined));
    rmSync(out, { recursive: true });
    expect(checks.filter(({ outcome }) => outcome === 'fails')).toEqual([]);
    await expect(call.pause()).rejects.toMatchObject({ code: 'run-over' });
    await expect(call.extend(4, MINUTE)).rejects.toMatchObject({ code: 'run-over' });
    expect(await typed('extend', run, '--by', '1 min')).toMatchObject({ exitCode: 1, printed: { error: { code: 'wrong-state' } } });
  });
});
