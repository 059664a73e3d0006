import { mkdtempSync, rmSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describeModel, modelDigest } from '@coferment/consortium';
import { verifyExport } from '@coferment/ledger';
import type { RunStatus } from '@coferment/proto';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { exportLedger } from '../cli/ledger.export.js';
import { readLedger, statementsOf } from '../cli/ledger.reader.js';
import { ask } from '../cli/operator.client.js';
import { PLAN_TEXT, TestCoordinator, workUntil } from '../testing/coordinator.fixture.js';
import type { Faults, ScriptedSite } from '../testing/scripted-site.fixture.js';

const coordinators: TestCoordinator[] = [];
/** Whole runs with real keys: minutes on a machine that does other things too. */
const LIMIT_MS = 300_000;
vi.setConfig({ testTimeout: LIMIT_MS, hookTimeout: LIMIT_MS });
afterEach(async () => {
  for (const coordinator of coordinators.splice(0)) await coordinator.remove();
});

/** A run among scripted sites, some of them faulty, and what its operator can do. */
class Scene {
  readonly coordinator = new TestCoordinator();
  sites: ScriptedSite[] = [];
  run = '';

  static async launch(names: readonly string[], privacy: string, faults: Readonly<Record<string, Faults>> = {}): Promise<Scene> {
    const scene = new Scene();
    await scene.coordinator.start();
    coordinators.push(scene.coordinator);
    scene.sites = await scene.coordinator.join(...names);
    for (const site of scene.sites) site.faults = faults[site.site] ?? {};
    scene.run = await scene.coordinator.launch(`${PLAN_TEXT}privacy: ${privacy}\n`);
    return scene;
  }

  status(): Promise<RunStatus> {
    return this.coordinator.run(this.run);
  }

  async until(...states: string[]): Promise<RunStatus> {
    for (let turn = 0; turn < 400; turn++) {
      const status = await this.status();
      if (states.includes(status.state)) return status;
      for (const site of this.sites) await site.work();
      // Polls that find nothing while a sum is opened would take the time of opening it.
      await this.coordinator.rest(this.run);
    }
    throw new Error(`the run never became ${states.join(' or ')}`);
  }

  renew(epoch: number, change: { leaveOut?: string; replaceHolder?: string } = {}) {
    const { operator } = this.coordinator.operator;
    return ask(operator.renewEpoch.bind(operator), { run: this.run, epoch, leaveOut: '', replaceHolder: '', ...change });
  }

  /** The auditor's verdict, and what it found wrong. */
  async audit(): Promise<string[]> {
    const out = mkdtempSync(join(tmpdir(), 'export-'));
    await exportLedger(this.coordinator.operator, out);
    const read = (path: string) => readFile(join(out, path)).catch(() => undefined);
    const { checks } = await verifyExport(read);
    rmSync(out, { recursive: true });
    return checks.flatMap(({ problems }) => problems.map(({ where, problem }) => `${where}: ${problem}`));
  }

  async acts() {
    return statementsOf(await readLedger(this.coordinator.operator));
  }

  close(): void {
    for (const site of this.sites) site.calls.close();
  }
}

describe('a dealer whose dealing is refused', () => {
  it('is named as one of a pair; without it the run completes, and it still attests and follows', async () => {
    const scene = await Scene.launch(['alpha', 'beta', 'gamma', 'zeta'], '{}', { beta: { wrongShareFor: 'gamma' } });
    const stuck = await scene.until('stuck');
    expect(stuck.cause).toMatch(/key holder "gamma" refuses the dealing of "beta"/);
    expect(stuck.whatToDo).toMatch(/"beta" or "gamma", is at fault.*--leave-out beta.*--replace-holder gamma/);
    await expect(scene.renew(3, { leaveOut: 'beta' })).rejects.toMatchObject({ code: 'no-new-epoch' });
    await expect(scene.renew(2, { leaveOut: 'beta', replaceHolder: 'gamma' })).rejects.toMatchObject({ code: 'no-new-epoch' });
    await expect(scene.renew(2, { leaveOut: 'omega' })).rejects.toThrow(/"omega" is not one of its sites/);
    expect((await scene.status()).epoch).toBe(1);

    const renewed = await scene.renew(2, { leaveOut: 'beta' });
    expect(renewed).toMatchObject({ epoch: 2, keyHolders: ['alpha', 'zeta', 'gamma'].toSorted(), leftOut: ['beta'] });
    expect(renewed.fingerprint).not.toBe(stuck.fingerprint);
    expect(await scene.renew(2, { leaveOut: 'beta' })).toEqual(renewed);
    await expect(scene.renew(3, { leaveOut: 'zeta' })).rejects.toThrow(/2 key holders of whom τ = 3 must open.*2 sites of which ρ = 3/);
    await scene.coordinator.stop();
    await scene.coordinator.start();
    const done = await scene.until('completed');
    expect(done).toMatchObject({ epoch: 2, leftOut: ['beta'], collusionBound: 1, attestQuorum: 3, cause: '' });
    expect(done.rounds.filter(({ kind }) => kind !== 'confirm').every(({ counted }) => counted.join() === 'alpha,gamma,zeta')).toBe(true);
    const beta = scene.sites.find(({ site }) => site === 'beta')!;
    await workUntil([beta], () => beta.closed);
    expect(beta.state?.round).toBe(1);

    const acts = await scene.acts();
    const epochs = acts.flatMap((act) => (act.name === 'key-epoch' ? [act.predicate] : []));
    expect(epochs).toHaveLength(1);
    expect(epochs[0]).toMatchObject({ epoch: 2, leftOut: ['beta'], numbers: { n: 4, m: 3, tau: 3, c: 1, rho: 3, minContributors: 3 } });
    expect(epochs[0]?.renewal).toMatchObject({
      leftOut: ['beta'],
      replaced: [],
      reason: expect.stringMatching(/leaves out "beta".*"gamma" refuses/),
    });
    expect(await scene.audit()).toEqual([]);
    scene.close();
  });
});

describe.runIf(process.env['RELIABILITY_FULL'] === '1')('a holder that refuses good dealings', () => {
  it('goes on as a dealer without key shares, and the run completes', async () => {
    const scene = await Scene.launch(['alpha', 'beta', 'gamma', 'zeta'], '{ keyHolders: 3, threshold: 3 }', {
      beta: { refusesDealingOf: 'zeta' },
    });
    const stuck = await scene.until('stuck');
    expect(stuck.cause).toMatch(/"beta" refuses the dealing of "zeta"/);
    expect(await scene.renew(2, { replaceHolder: 'beta' })).toMatchObject({ keyHolders: ['alpha', 'zeta', 'gamma'], leftOut: [] });
    const done = await scene.until('completed');
    expect(done.rounds.filter(({ kind }) => kind === 'update').map(({ counted }) => counted.join())).toEqual(['alpha,beta,gamma,zeta']);
    expect(await scene.audit()).toEqual([]);
    scene.close();
  });
});

describe('a holder that lies about an update', () => {
  const five = ['alpha', 'beta', 'delta', 'gamma', 'zeta'];
  const privacy = '{ keyHolders: 5, threshold: 3, collusionBound: 2 }';
  const noData = { beta: { hasNoDataFor: 'update' } };

  it('is named and replaced; the same set with the same updates then gives the model it would have given', async () => {
    const scene = await Scene.launch(five, privacy, { ...noData, delta: { garbles: 'update' } });
    const stuck = await scene.until('stuck');
    expect(stuck.cause).toMatch(/Sum 7 \(update\) could not be opened: .* \(parity; at fault: delta\)/);
    expect(stuck.whatToDo).toMatch(/--replace-holder delta/);
    const frozen = stuck.rounds.find(({ sum }) => sum === 7)!;
    expect(frozen).toMatchObject({ state: 'stuck', counted: ['alpha', 'delta', 'gamma', 'zeta'] });
    await expect(scene.renew(2, { leaveOut: 'delta' })).rejects.toMatchObject({
      code: 'set-fixed',
      message: expect.stringMatching(/frozen over alpha, delta, gamma, zeta.*--replace-holder delta.*launch a new one/s),
    });
    await scene.renew(2, { replaceHolder: 'delta' });
    const done = await scene.until('completed');
    expect(done.keyHolders).toEqual(['alpha', 'beta', 'gamma', 'zeta']);
    const updates = done.rounds.filter(({ kind }) => kind === 'update');
    expect(updates.map(({ sum, state }) => [sum, state])).toEqual([
      [7, 'superseded'],
      [13, 'closed'],
    ]);
    expect(updates[1]).toMatchObject({ counted: frozen.counted, modelIn: frozen.modelIn, excluded: [{ site: 'beta', reason: 'refused' }] });
    const acts = await scene.acts();
    expect(acts.flatMap((act) => (act.name === 'round-garbled' ? [act.predicate] : []))).toMatchObject([
      { sum: 7, reason: 'parity', named: ['delta'] },
    ]);
    expect(await scene.audit()).toEqual([]);

    // Exactly the vectors that were stored before the first try: nobody trained again, so the model is the one that this sum would have given.
    const aggregate = acts.flatMap((act) => (act.name === 'aggregate' && act.predicate.sum === 13 ? [act.predicate] : []))[0]!;
    const opened = await scene.sites[0]!.calls.download(aggregate.sumObject);
    const counted = scene.sites.filter(({ site }) => frozen.counted.includes(site));
    const vectors = counted.map(({ vectors: stored }) => stored.get(`update ${frozen.modelIn}`)!);
    const expected = vectors[0]!.map((_, index) => vectors.reduce((sum, vector) => sum + vector[index]!, 0n));
    expect(expected.every((word, index) => opened.readBigUInt64LE(index * 8) === word)).toBe(true);
    for (const { state } of counted) expect(modelDigest(describeModel(counted[0]!.plan), state!.model)).toBe(done.model);
    scene.close();
  });
});

describe.runIf(process.env['RELIABILITY_FULL'] === '1')('a site whose key does not confirm', () => {
  it('stops the run before anything is trained; the same members can deal again', async () => {
    const scene = await Scene.launch(['alpha', 'beta', 'gamma', 'zeta'], '{}', { alpha: { garbles: 'confirm' } });
    const stuck = await scene.until('stuck');
    expect(stuck.cause).toMatch(/confirm of "alpha".*parity/);
    expect(stuck.rounds.every(({ kind }) => kind === 'confirm')).toBe(true);
    for (const site of scene.sites) site.faults = {};
    const renewed = await scene.renew(2);
    expect(renewed.fingerprint).toBe(stuck.fingerprint);
    const done = await scene.until('completed');
    expect(done.rounds.filter(({ state }) => state === 'superseded').length).toBeGreaterThan(0);
    await expect(scene.renew(3)).rejects.toMatchObject({ code: 'run-over' });
    expect(await scene.audit()).toEqual([]);
    scene.close();
  });
});
