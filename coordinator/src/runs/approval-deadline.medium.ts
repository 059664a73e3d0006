import { mkdtempSync, rmSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { rosterFingerprint, runId } from '@coferment/consortium';
import { verifyExport } from '@coferment/ledger';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { exportLedger } from '../cli/ledger.export.js';
import { readLedger, statementsOf } from '../cli/ledger.reader.js';
import { ask } from '../cli/operator.client.js';
import { rosterScreens } from '../cli/roster.commands.js';
import { PLAN_TEXT, TestCoordinator, workUntil } from '../testing/coordinator.fixture.js';
import type { ScriptedSite } from '../testing/scripted-site.fixture.js';

/** Real keys in a run, on a machine that does other things too. */
vi.setConfig({ testTimeout: 300_000, hookTimeout: 300_000 });
const WITHIN_MS = 300_000;

const coordinator = new TestCoordinator();
const joined = new Map<string, ScriptedSite>();

beforeAll(async () => {
  await coordinator.start();
  for (const site of await coordinator.join(...'alder ash beech birch cedar elm fir hazel lime maple oak pine yew'.split(' ')))
    joined.set(site.site, site);
});
afterAll(async () => {
  for (const site of joined.values()) site.calls.close();
  await coordinator.remove();
});

/** Each run has sites and a plan of its own, so that no scene meets another. */
async function launched(names: string[], approveWithinMs: number): Promise<{ run: string; sites: ScriptedSite[] }> {
  const run = await coordinator.launch(PLAN_TEXT.replace('plan: scripted', `plan: of-${names.join('-')}`), names, approveWithinMs);
  return { run, sites: names.map((name) => joined.get(name)!) };
}

const view = async (site: ScriptedSite, run: string) => (await site.calls.poll([], '', 0)).runs.find((told) => told.run === run);
const owed = async (site: ScriptedSite) => (await site.calls.poll([], '', 0)).instructions.map(({ kind }) => kind?.$case);
const statements = async () => statementsOf(await readLedger(coordinator.operator));

describe('a run that all its sites approve before the deadline', () => {
  it('starts at once, as a run without one', async () => {
    const { run, sites } = await launched(['ash', 'elm', 'oak'], WITHIN_MS);
    const deadlineMs = (await coordinator.run(run)).approvalDeadlineMs;
    expect(deadlineMs).toBeGreaterThan(coordinator.nowMs);
    expect(await view(sites[0]!, run)).toMatchObject({ state: 'awaiting-approval', deadlineMs });
    for (const site of sites) await site.work();
    await coordinator.rest(run);
    expect(await coordinator.run(run)).toMatchObject({ state: 'key-ceremony', sites: ['ash', 'elm', 'oak'], notApproved: [] });
  });
});

describe('a run that too few sites have approved', () => {
  it('ends with who has not and the numbers, and all who were asked are told', async () => {
    const { run, sites } = await launched(['birch', 'cedar', 'fir'], WITHIN_MS);
    await sites[0]!.work();
    await sites[1]!.work();
    coordinator.pass(WITHIN_MS);
    await coordinator.rest(run);
    expect(await coordinator.run(run)).toMatchObject({
      state: 'aborted',
      notApproved: ['fir'],
      cause: expect.stringMatching(/2 of 3 sites approved within 5 min.*among 2 sites.*Not approved: fir/),
    });
    for (const site of sites) expect(await owed(site)).toEqual(['closeRun']);
    expect((await statements()).some(({ name, predicate }) => name === 'run-opened' && predicate.run === run)).toBe(false);
  });

  it('can be aborted by the operator while it waits', async () => {
    const { run, sites } = await launched(['lime', 'pine', 'yew'], WITHIN_MS);
    const { operator } = coordinator.operator;
    await ask(operator.abortRun.bind(operator), { run, reason: 'wrong plan' });
    expect(await coordinator.run(run)).toMatchObject({ state: 'aborted', cause: 'The operator aborted the run: wrong plan' });
    expect(await owed(sites[0]!)).toEqual(['closeRun']);
  });
});

describe('a run that enough sites have approved whose time is over after a restart of the coordinator', () => {
  let run: string;
  let sites: ScriptedSite[];
  let late: ScriptedSite;
  let fingerprintOfAll: string;

  beforeAll(async () => {
    ({ run, sites } = await launched(['alder', 'beech', 'hazel', 'maple'], WITHIN_MS));
    fingerprintOfAll = (await coordinator.run(run)).fingerprint;
    late = sites.splice(1, 1)[0]!;
    for (const site of sites) await site.work();
    await coordinator.rest(run);
    expect(await coordinator.run(run)).toMatchObject({ state: 'awaiting-approval', waitingFor: ['beech'] });
    await coordinator.stop();
    await coordinator.start();
    coordinator.pass(WITHIN_MS);
    await coordinator.rest(run);
  });

  it('goes on among them', async () => {
    const status = await coordinator.run(run);
    expect(status).toMatchObject({
      state: 'key-ceremony',
      sites: ['alder', 'hazel', 'maple'],
      notApproved: ['beech'],
      keyHolders: ['alder', 'hazel', 'maple'],
    });
    expect(status.fingerprint).not.toBe(fingerprintOfAll);
    const opened = (await statements()).find(({ name, predicate }) => name === 'run-opened' && predicate.run === run);
    expect(opened?.predicate).toMatchObject({ sites: ['alder', 'hazel', 'maple'] });
  });

  it('refuses the late approval, tells the site why it has nothing to do, and takes nothing else of it', async () => {
    const { run: name, plan, ordinal } = await coordinator.run(run);
    expect(name).toBe(runId(plan, ordinal));
    const asked = ['alder', 'beech', 'hazel', 'maple'];
    const approval = late.submit('plan-approved', { consortium: 'scripted', site: 'beech', plan, ordinal, sites: asked });
    await expect(approval).rejects.toMatchObject({
      code: 'not-owed',
      message: expect.stringMatching(/"beech" came after .* was not stored/),
    });
    const key = late.submit('sealing-key', { consortium: 'scripted', run, epoch: 1, site: 'beech', key: 'a'.repeat(2432) });
    await expect(key).rejects.toMatchObject({ code: 'forbidden' });
    expect(await owed(late)).toEqual([]);
    expect(await view(late, run)).toMatchObject({ withoutThisSite: true, state: 'key-ceremony', waitingFor: [] });
    expect(await view(sites[0]!, run)).toMatchObject({ withoutThisSite: false });
  });

  it('shows its roster with who is missing and who has approved it', async () => {
    await workUntil(sites, async () => (await coordinator.run(run)).waitingFor.join() !== '' && sites.every((site) => site.e0 !== ''));
    const { operator } = coordinator.operator;
    const { rosters } = await ask(operator.getRosters.bind(operator), { run });
    const [screen] = rosterScreens('scripted', await coordinator.run(run), rosters);
    expect(screen).toMatchObject({ epoch: 1, published: true, approved: expect.arrayContaining(['alder']) });
    expect(screen!.lines.join('\n')).toMatch(/Asked for this run and not in it: beech/);
    expect(rosterFingerprint(sites[0]!.roster)).toBe((await coordinator.run(run)).fingerprint);
  });

  it('releases no model before it has completed', async () => {
    const { operator } = coordinator.operator;
    await expect(ask(operator.releaseModel.bind(operator), { run })).rejects.toMatchObject({ code: 'not-completed' });
  });

  it('completes, is released once, and its ledger holds', async () => {
    await workUntil(sites, () => sites.every((site) => site.closed));
    const completed = await coordinator.run(run);
    expect(completed).toMatchObject({ state: 'completed', released: false });
    const { operator } = coordinator.operator;
    const released = await ask(operator.releaseModel.bind(operator), { run });
    expect(released.model).toBe(completed.model);
    expect(await ask(operator.releaseModel.bind(operator), { run })).toEqual(released);
    expect(await coordinator.run(run)).toMatchObject({ released: true });
    expect((await statements()).filter(({ name }) => name === 'model-released')).toHaveLength(1);

    const out = mkdtempSync(join(tmpdir(), 'ledger-'));
    try {
      await exportLedger(coordinator.operator, out);
      const { checks } = await verifyExport((path) => readFile(join(out, path)).catch(() => undefined));
      expect(checks.filter(({ outcome }) => outcome === 'fails')).toEqual([]);
      expect(checks.find(({ id }) => id === 'runs')?.detail).toMatch(/1 without sites that had not approved in time/);
    } finally {
      rmSync(out, { recursive: true });
    }
    expect(await owed(late)).toEqual(['closeRun']);
  });
});
