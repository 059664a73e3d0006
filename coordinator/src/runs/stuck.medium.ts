import { mkdtempSync, rmSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { verifyExport } from '@coferment/ledger';
import type { RunStatus } from '@coferment/proto';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { exportLedger } from '../cli/ledger.export.js';
import { readLedger, statementsOf } from '../cli/ledger.reader.js';
import { ask } from '../cli/operator.client.js';
import type { SiteMember } from '../enrolment/site.entity.js';
import { Presence } from '../rounds/presence.js';
import { PLAN_TEXT, TestCoordinator } from '../testing/coordinator.fixture.js';
import type { Faults, ScriptedSite } from '../testing/scripted-site.fixture.js';

const LIMIT_MS = 300_000;
vi.setConfig({ testTimeout: LIMIT_MS, hookTimeout: LIMIT_MS });
const HOURS_11 = 11 * 3_600_000;

/** A run whose operator sees exactly these sites as absent, and whose clock can be put past a deadline. */
class Scene {
  readonly coordinator = new TestCoordinator();
  readonly absent = new Set<string>();
  sites: ScriptedSite[] = [];
  run = '';

  static async launch(names: readonly string[], privacy = '{}'): Promise<Scene> {
    const scene = new Scene();
    scenes.push(scene);
    await scene.coordinator.start();
    scene.#watchPresence();
    scene.sites = await scene.coordinator.join(...names);
    scene.run = await scene.coordinator.launch(`${PLAN_TEXT}privacy: ${privacy}\n`);
    return scene;
  }

  async restart(): Promise<void> {
    await this.coordinator.stop();
    await this.coordinator.start();
    this.#watchPresence();
  }

  #watchPresence(): void {
    const presence = this.coordinator.running.context.get(Presence);
    presence.absent = (members: readonly SiteMember[]) => new Set(members.map(({ site }) => site).filter((site) => this.absent.has(site)));
  }

  site(name: string): ScriptedSite {
    return this.sites.find(({ site }) => site === name)!;
  }

  /** These are away, and with them what they were to do. */
  leave(...names: string[]): void {
    for (const name of names) this.absent.add(name);
  }

  back(...names: string[]): void {
    for (const name of names) {
      this.absent.delete(name);
      this.site(name).faults = {};
    }
  }

  fault(faults: Faults, ...names: string[]): void {
    for (const name of names) this.site(name).faults = faults;
  }

  status(): Promise<RunStatus> {
    return this.coordinator.run(this.run);
  }

  async until(reached: (status: RunStatus) => boolean, what: string): Promise<RunStatus> {
    for (let turn = 0; turn < 120; turn++) {
      const status = await this.status();
      if (reached(status)) return status;
      for (const site of this.sites) if (!this.absent.has(site.site)) await site.work();
      await this.coordinator.rest(this.run);
    }
    const { state, rounds } = await this.status();
    throw new Error(`the run never became ${what}: ${state} ${rounds.map((round) => `${round.sum} ${round.kind} ${round.state}`).join()}`);
  }

  updateIs(state: string): Promise<RunStatus> {
    return this.until((status) => status.rounds.some((round) => round.kind === 'update' && round.state === state), `${state} in an update`);
  }

  becomes(state: string): Promise<RunStatus> {
    return this.until((status) => status.state === state, state);
  }

  /** Everybody who is there has done what it can; then the deadline passes. */
  async pastDeadline(): Promise<RunStatus> {
    for (let turn = 0; turn < 3; turn++) for (const site of this.sites) if (!this.absent.has(site.site)) await site.work();
    await this.coordinator.rest(this.run);
    const before = await this.status();
    expect(before.state).toBe('running');
    this.coordinator.pass(HOURS_11);
    await this.coordinator.rest(this.run);
    return this.status();
  }

  renew(epoch: number) {
    const { operator } = this.coordinator.operator;
    return ask(operator.renewEpoch.bind(operator), { run: this.run, epoch, leaveOut: '', replaceHolder: '' });
  }

  propose(sum: number, ...sites: string[]) {
    const { operator } = this.coordinator.operator;
    return ask(operator.openNewSet.bind(operator), { run: this.run, sum, sites });
  }

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

  async close(): Promise<void> {
    for (const site of this.sites) site.calls.close();
    await this.coordinator.remove();
  }
}

const scenes: Scene[] = [];
afterEach(async () => {
  for (const scene of scenes.splice(0)) await scene.close();
});

const updates = ({ rounds }: RunStatus) => rounds.filter(({ kind }) => kind === 'update').map(({ sum, state }) => `${sum} ${state}`);

describe('a sum that lacks those who are needed', () => {
  it('stops the run with who is missing, and goes on by itself when they are back', async () => {
    const scene = await Scene.launch(['alpha', 'beta', 'gamma', 'zeta']);
    await scene.updateIs('training');
    scene.fault({ ignores: ['attest'] }, 'gamma', 'zeta');
    await scene.updateIs('attesting');

    // Too few signatures: everybody is there, so the clock alone stops nothing.
    let status = await scene.pastDeadline();
    expect(status).toMatchObject({ state: 'running', waitingFor: ['gamma', 'zeta'] });
    scene.leave('gamma', 'zeta');
    await scene.coordinator.rest(scene.run);
    status = await scene.status();
    expect(status).toMatchObject({ state: 'stuck', waitingFor: ['gamma', 'zeta'] });
    expect(status.cause).toMatch(
      /Sum 6 \(update\).*2 sites have signed the counted set and 3 must; missing: gamma \(absent\), zeta \(absent\)/,
    );
    expect(status.whatToDo).toMatch(/^\(1\) Wait: .*\(2\) .*coferment epochs renew r1-.*\(3\) .*coferment rounds open-new-set r1-/);
    await scene.restart();
    scene.back('gamma');
    status = await scene.updateIs('decrypting');
    expect(status).toMatchObject({ state: 'running', cause: '' });

    // Too few shares.
    scene.fault({ ignores: ['releaseShare'] }, 'beta', 'zeta');
    scene.leave('beta', 'zeta');
    status = await scene.pastDeadline();
    expect(status).toMatchObject({ state: 'stuck', waitingFor: ['beta', 'zeta'] });
    expect(status.cause).toMatch(/2 key holders have given their decryption share and 3 must; missing: beta \(absent\), zeta \(absent\)/);

    scene.back('beta', 'zeta');
    status = await scene.becomes('completed');
    expect(updates(status)).toEqual(['6 closed']);
    const stops = (await scene.acts()).flatMap((act) => (act.name === 'round-stuck' ? [act.predicate.sum] : []));
    expect(stops).toEqual([6, 6]);
    expect(await scene.audit()).toEqual([]);
  });

  it.runIf(process.env['RELIABILITY_FULL'] === '1')(
    'goes on in new key epochs with the same set, from stuck and from stalled',
    async () => {
      const scene = await Scene.launch(['alpha', 'beta', 'gamma', 'zeta']);
      await scene.updateIs('training');
      scene.fault({ ignores: ['releaseShare'] }, 'beta', 'zeta');
      await scene.updateIs('decrypting');
      scene.leave('beta', 'zeta');
      let status = await scene.pastDeadline();
      expect(status.state).toBe('stuck');

      // A new key epoch from stuck: the same set, of which one does not come.
      scene.back('beta', 'zeta');
      scene.fault({ ignores: ['prepareSum'] }, 'zeta');
      await scene.renew(2);
      scene.back('zeta');
      await scene.until(({ rounds }) => rounds.filter(({ kind }) => kind === 'update').length === 2, 'in its second epoch');
      scene.fault({ ignores: ['prepareSum'] }, 'zeta');
      scene.leave('zeta');
      status = await scene.pastDeadline();
      expect(status.state).toBe('stuck');
      expect(updates(status)).toEqual(['6 superseded', '11 stalled']);
      expect(status.cause).toMatch(/fixed by an earlier sum, and 3 of its 4 sites have taken part; missing: zeta \(absent\)/);
      // A fresh attempt: who is there draws new nonces while zeta is waited for.
      for (const site of scene.sites) if (site.site !== 'zeta') await site.work();
      expect((await scene.status()).waitingFor).toEqual(['zeta']);

      // From stalled too.
      scene.back('zeta');
      await scene.renew(3);
      await scene.until(({ rounds }) => rounds.filter(({ kind }) => kind === 'update').length === 3, 'in its third epoch');
      scene.fault({ ignores: ['prepareSum'] }, 'zeta');
      scene.leave('zeta');
      status = await scene.pastDeadline();
      expect(updates(status)).toEqual(['6 superseded', '11 superseded', '16 stalled']);
      scene.back('zeta');
      status = await scene.becomes('completed');
      expect(status.rounds.find(({ sum }) => sum === 16)).toMatchObject({
        state: 'closed',
        attempt: 2,
        counted: ['alpha', 'beta', 'gamma', 'zeta'],
      });
      const stops = (await scene.acts()).flatMap((act) => (act.name === 'round-stuck' ? [act.predicate.sum] : []));
      expect(stops).toEqual([6, 11, 16]);
      expect(await scene.audit()).toEqual([]);
    },
  );
});

describe('another set', () => {
  const five = ['alpha', 'beta', 'delta', 'gamma', 'zeta'];
  const four = ['alpha', 'beta', 'gamma', 'zeta'];

  it('takes the place of one that garbles, with the approval of everybody concerned, and the ledger shows it', async () => {
    const scene = await Scene.launch(five, '{ keyHolders: 5, threshold: 3, collusionBound: 2 }');
    await scene.updateIs('training');
    scene.fault({ garbles: 'update' }, 'delta');
    let status = await scene.becomes('stuck');
    expect(updates(status)).toEqual(['7 stuck']);
    expect(status.whatToDo).toMatch(/\(1\) Waiting does not help.*\(2\) .*--replace-holder delta.*\(3\) Another set/);
    await expect(scene.propose(6, ...four)).rejects.toMatchObject({
      code: 'no-new-set',
      message: expect.stringMatching(/sum 6 .* is "closed"/),
    });
    await expect(scene.propose(99, ...four)).rejects.toThrow(/sum 99 .* is not there/);
    await expect(scene.propose(7, 'alpha', 'beta', 'gamma')).rejects.toThrow(/3 sites were named, and the plan requires 4/);
    await expect(scene.propose(7, ...five)).rejects.toThrow(/is over already/);
    await expect(scene.propose(7, 'alpha', 'beta', 'gamma', 'omega')).rejects.toThrow(/omega takes no part/);

    scene.fault({ decidesNothing: true }, 'delta', 'zeta');
    const proposed = await scene.propose(7, ...four);
    expect(proposed.approvers).toEqual(five);
    expect(await scene.propose(7, ...four)).toEqual(proposed);
    for (const site of scene.sites) await site.work();
    await scene.restart();
    status = await scene.status();
    expect(status.newSet).toEqual({
      sum: 7,
      proposal: proposed.proposal,
      before: five,
      after: four,
      approvers: five,
      approved: ['alpha', 'beta', 'gamma'],
    });
    expect(status).toMatchObject({ state: 'stuck', waitingFor: ['delta', 'zeta'] });
    scene.back('delta', 'zeta');
    status = await scene.becomes('completed');
    expect(updates(status)).toEqual(['7 superseded', '8 closed']);
    expect(status.rounds.find(({ sum }) => sum === 8)).toMatchObject({ counted: four, excluded: [{ site: 'delta', reason: 'dropped' }] });
    expect(await scene.audit()).toEqual([]);
    for (const site of scene.sites) expect(site.state?.round).toBe(1);
  });

  it.runIf(process.env['RELIABILITY_FULL'] === '1')(
    'is not to be had where somebody who has to approve it is not a member any more',
    async () => {
      const scene = await Scene.launch(['alpha', 'beta', 'gamma', 'zeta']);
      await scene.updateIs('training');
      scene.fault({ ignores: ['attest'] }, 'gamma', 'zeta');
      await scene.updateIs('attesting');
      scene.leave('gamma', 'zeta');
      expect((await scene.pastDeadline()).state).toBe('stuck');
      const { operator } = scene.coordinator.operator;
      await ask(operator.revokeSite.bind(operator), { site: 'zeta', reason: 'gone' });
      await expect(scene.propose(6, 'alpha', 'beta', 'gamma')).rejects.toMatchObject({
        code: 'no-new-set',
        message: expect.stringMatching(
          /zeta would have to approve it and is not a member any more.*Only a new run remains: coferment abort/,
        ),
      });
      expect((await scene.status()).newSet).toBeUndefined();
    },
  );
});
