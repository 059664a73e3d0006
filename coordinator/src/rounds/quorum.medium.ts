import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseVkey, policyOfLogKey, readFolder, verifyExport } from '@coferment/ledger';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { exportLedger } from '../cli/ledger.export.js';
import { readLedger, statementsOf } from '../cli/ledger.reader.js';
import { ask } from '../cli/operator.client.js';
import { eventText, runText } from '../cli/run.text.js';
import { RunChanges } from '../runs/run.changes.js';
import { RunRepository } from '../runs/run.repository.js';
import { openRounds } from '../runs/run.view.js';
import { RunViews } from '../runs/run.views.js';
import { Clock } from '../telemetry/clock.js';
import { PLAN_TEXT, TestCoordinator, workUntil } from '../testing/coordinator.fixture.js';
import type { ScriptedSite } from '../testing/scripted-site.fixture.js';
import { Presence } from './presence.js';

const NAMES = ['alpha', 'beta', 'gamma', 'zeta'];

/** As if the time for what is collected now were over. */
async function passDeadline(coordinator: TestCoordinator, run: string): Promise<void> {
  const { context } = coordinator.running;
  const view = await context.get(RunViews).load(run);
  const [round] = openRounds(view);
  if (round === undefined) return;
  await context.get(RunChanges).apply(run, view.run.version, async ({ manager, nowMs }) => {
    await context.get(RunRepository).saveRound(manager, { ...round, deadlineMs: nowMs });
  });
  await coordinator.rest(run);
}

/** One run in which zeta fails in every way, and whose three others are just enough. Nothing here waits for a clock: deadlines are moved to now. */
describe('a run among four sites, of which three must contribute', () => {
  const coordinator = new TestCoordinator();
  let sites: ScriptedSite[];
  let zeta: ScriptedSite;
  let run: string;
  const status = () => coordinator.run(run);
  const update = async (round: number) => (await status()).rounds.find((sum) => sum.kind === 'update' && sum.round === round);
  /** The training rounds in which a site is too slow with a step; fixed before they open, so that nothing hangs on when it polls. */
  const slow = { zeta: { prepareSum: [1, 2, 6, 7, 8], encrypt: [3, 4, 5] }, gamma: { prepareSum: [7], encrypt: [9] } };
  const waitsFor = (round: number, state: string, ...names: string[]) =>
    workUntil(sites, async () => (await update(round))?.state === state && (await status()).waitingFor.join() === names.join());
  const opened = (round: number) => workUntil(sites, async () => (await update(round)) !== undefined);
  const outcomes = async (round: number) => (await update(round))!.excluded;
  const readmit = (site: string) => ask(coordinator.operator.operator.readmitSite.bind(coordinator.operator.operator), { run, site });

  /** As if it had not polled for a day. */
  function missesPolls({ member }: ScriptedSite): void {
    const presence = coordinator.running.context.get(Presence);
    const yesterday = coordinator.running.context.get(Clock).steadyMs() - 86_400_000;
    presence.arrived(member, yesterday, 0);
    presence.answered(member, yesterday);
  }

  beforeAll(async () => {
    await coordinator.start();
    sites = await coordinator.join(...NAMES);
    zeta = sites[3]!;
    for (const site of [sites[2]!, zeta])
      site.faults.leavesUndone = (step, { kind, round }) => {
        const rounds = slow[site.site as keyof typeof slow];
        return kind === 'update' && (step === 'prepareSum' || step === 'encrypt') && rounds[step].includes(round);
      };
    run = await coordinator.launch(PLAN_TEXT.replace('rounds: 1', 'rounds: 20'));
    await opened(1);
  });
  afterAll(async () => {
    for (const site of sites) site.calls.close();
    await coordinator.remove();
  });

  it('proceeds at the deadline without a site that is late, and asks nothing more of it in this round', async () => {
    await waitsFor(1, 'training', 'zeta');
    await passDeadline(coordinator, run);
    // The list is closed: nothing is asked of it in this round any more.
    expect((await update(1))!.state).toBe('uploading');
    expect((await zeta.work()).filter((kind) => kind === 'prepareSum' || kind === 'encrypt')).toEqual([]);
    await opened(2);
    expect(await outcomes(1)).toEqual([
      { site: 'zeta', reason: 'late', detail: expect.stringMatching(/^no nonce by the deadline 20\d\d-.* UTC; /) },
    ]);
  });

  it('sets aside a site that was waited for in vain five times in a row, and says so everywhere', async () => {
    await waitsFor(2, 'training', 'zeta');
    await passDeadline(coordinator, run);
    for (const round of [3, 4, 5]) {
      await opened(round);
      expect((await status()).setAside).toEqual([]);
      await waitsFor(round, 'uploading', 'zeta');
      await passDeadline(coordinator, run);
    }
    await opened(6);
    expect(await outcomes(5)).toMatchObject([{ reason: 'dropped', detail: expect.stringMatching(/^listed in attempt 1, no upload by /) }]);
    const { setAside, rounds } = await status();
    const { sum } = rounds.find(({ kind, round }) => kind === 'update' && round === 5)!;
    expect(setAside).toEqual([
      {
        site: 'zeta',
        failures: 5,
        reasons: [
          `dropped in sum ${sum}`,
          `dropped in sum ${sum - 1}`,
          `dropped in sum ${sum - 2}`,
          `late in sum ${sum - 3}`,
          `late in sum ${sum - 4}`,
        ],
      },
    ]);
    expect(runText(await status())).toContain(`coferment runs readmit ${run} zeta`);
    const { runs } = await zeta.calls.poll([zeta.position], '', 0);
    expect(runs.at(-1)!.cause).toMatch(/^this site is set aside \(late in sum/);
  });

  it('goes on without it at once, also after a restart, while it is still asked', async () => {
    await coordinator.stop();
    await coordinator.start();
    await opened(7);
    // Still asked.
    expect(await zeta.work()).toContain('prepareSum');
    expect(await outcomes(6)).toEqual([
      { site: 'zeta', reason: 'set-aside', detail: expect.stringMatching(/^no nonce when the others were ready; late in sum 6, late in/) },
    ]);
  });

  it('does not shrink below minContributors for it, and names it then', async () => {
    await waitsFor(7, 'training', 'gamma', 'zeta');
    expect((await status()).whatToDo).toMatch(/2 sites are ready; the sum needs 3.*zeta: set aside, and needed now/);
    slow.gamma.prepareSum = [];
  });

  it('waits for it again once the operator readmits it, and counts it', async () => {
    await expect(readmit('gamma')).rejects.toMatchObject({ code: 'not-set-aside' });
    await expect(readmit('nobody')).rejects.toMatchObject({ code: 'unknown-site' });
    await readmit('zeta');
    await readmit('zeta');
    await waitsFor(7, 'training', 'zeta');
    expect((await status()).setAside).toEqual([]);
    slow.zeta.prepareSum = [8];
    await opened(8);
    expect(await update(7)).toMatchObject({ counted: NAMES, excluded: [] });
  });

  it('goes on without a site that was revoked in the middle of a round', async () => {
    const { operator } = coordinator.operator;
    await ask(operator.revokeSite.bind(operator), { site: 'zeta', reason: 'a test' });
    sites.pop();
    missesPolls(zeta);
    await opened(9);
    expect(await outcomes(8)).toEqual([
      { site: 'zeta', reason: 'absent', detail: expect.stringMatching(/^no nonce by .*; last heard of 864\d\d s before$/) },
    ]);
  });

  it('waits, visibly, when a site leaves the epoch after the list was closed and too few are left', async () => {
    const gamma = sites[2]!;
    await workUntil(sites, async () => (await update(9))!.state === 'uploading');
    await gamma.submit('epoch-left', { consortium: 'scripted', run, epoch: 1, site: 'gamma', reason: 'restored' });
    await workUntil(sites, async () => (await update(9))!.attempt > 1 && (await status()).waitingFor.join() === 'zeta');
    expect((await status()).whatToDo).toContain('gamma restored a data folder from a backup');
    await passDeadline(coordinator, run);
    expect(['training', 'ready']).toContain((await update(9))!.state);
    const { operator } = coordinator.operator;
    await ask(operator.abortRun.bind(operator), { run, reason: 'a test' });
  });

  it('has told all of it to whoever watched', async () => {
    const { operator } = coordinator.operator;
    const texts: string[] = [];
    for await (const event of operator.watchRun({ run, after: 0 }) as AsyncIterable<Parameters<typeof eventText>[0]>)
      texts.push(eventText(event));
    const positions = [
      'counted alpha, beta, gamma; not counted zeta (late: no nonce by the deadline',
      'zeta is set aside: 5 sums in a row waited for it in vain',
      'zeta is waited for again: the operator has readmitted it.',
    ].map((text) => texts.findIndex((line) => line.includes(text)));
    expect(positions).toEqual(positions.toSorted((a, b) => a - b));
    expect(positions[0]).toBeGreaterThan(0);
  });

  it('left a ledger that holds and names every site in every sum', async () => {
    const statements = statementsOf(await readLedger(coordinator.operator));
    for (const { name, predicate } of statements) {
      if ((name !== 'round-frozen' && name !== 'round-abandoned') || predicate.kind === 'confirm') continue;
      const counted = name === 'round-frozen' ? predicate.counted : [];
      expect([...counted, ...predicate.excluded].map(({ site }) => site).toSorted()).toEqual(NAMES);
    }
    expect(statements.filter(({ name }) => name === 'site-readmitted')).toHaveLength(1);
    const folder = mkdtempSync(join(tmpdir(), 'quorum-'));
    try {
      const { logVkey } = await exportLedger(coordinator.operator, folder);
      const { checks } = await verifyExport(readFolder(folder), { policy: policyOfLogKey(parseVkey(logVkey)) });
      expect(checks.flatMap(({ problems }) => problems)).toEqual([]);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });

  it('does not take in a site that joined later: it may be asked in a later run, as long as no statistics were summed', async () => {
    const [omega] = await coordinator.join('omega');
    expect(await omega!.work()).toEqual([]);
    await expect(coordinator.launch(undefined, [...NAMES.slice(0, 3), 'omega'])).rejects.toMatchObject({ code: 'set-fixed' });
    omega!.calls.close();
  });
});

/** A key ceremony each, for what outcome.detail.spec.ts and the rules' own tests say in milliseconds. */
describe.runIf(process.env['RELIABILITY_FULL'] === '1')('a run whose plan says of its deadline', () => {
  it.each(['wait', 'abandon'] as const)('%s', async (onDeadline) => {
    const coordinator = await new TestCoordinator().start();
    const sites = await coordinator.join('alpha', 'beta', 'gamma', 'zeta');
    const zeta = sites[3]!;
    try {
      const text = PLAN_TEXT.replace('rounds: 1', 'rounds: 2').replace('deadline: 10 h', `deadline: 10 h, onDeadline: ${onDeadline}`);
      const run = await coordinator.launch(text);
      const sum = async () => (await coordinator.run(run)).rounds.at(-1)!;
      const until = (kind: string, state: string, waitsFor?: string) =>
        workUntil(sites, async () => {
          const { rounds, waitingFor } = await coordinator.run(run);
          const last = rounds.at(-1);
          return last?.kind === kind && last.state === state && (waitsFor === undefined || waitingFor.join() === waitsFor);
        });

      zeta.faults = { leavesUndone: (step, { kind }) => kind !== 'confirm' && step === 'attest' };
      await until('statistics', 'attesting');
      await passDeadline(coordinator, run);
      // Frozen: nothing gives it up any more.
      expect((await sum()).state).toMatch(/^(attesting|decrypting|applying|closed)$/);

      zeta.faults = { leavesUndone: (step, { kind }) => kind !== 'confirm' && step === 'prepareSum' };
      await until('update', 'training', 'zeta');
      await passDeadline(coordinator, run);
      if (onDeadline === 'abandon') {
        expect(await coordinator.run(run)).toMatchObject({ state: 'failed', cause: expect.stringContaining('3 of 4 sites were ready') });
        expect((await sum()).excluded.map(({ site, reason }) => `${site} ${reason}`)).toEqual([
          'alpha ready',
          'beta ready',
          'gamma ready',
          'zeta late',
        ]);
        return;
      }
      expect((await sum()).state).toBe('training');
      zeta.faults = { leavesUndone: (step, { kind }) => kind !== 'confirm' && step === 'encrypt' };
      await until('update', 'uploading', 'zeta');
      await passDeadline(coordinator, run);
      expect((await sum()).state).toBe('uploading');
      zeta.faults = {};
      await workUntil(sites, () => sites.every((site) => site.closed));
      expect((await coordinator.run(run)).rounds.slice(4).map(({ counted }) => counted.join())).toEqual(Array(4).fill(NAMES.join()));
    } finally {
      for (const site of sites) site.calls.close();
      await coordinator.remove();
    }
  });

  it('stops after as many as its plan waits for, and calls the slower one late without holding it against it', async () => {
    const coordinator = await new TestCoordinator().start();
    const sites = await coordinator.join('alpha', 'beta', 'gamma', 'zeta');
    const zeta = sites[3]!;
    try {
      const run = await coordinator.launch(
        PLAN_TEXT.replace('rounds: 1', 'rounds: 6').replace('deadline: 10 h', 'deadline: 10 h, waitFor: 3'),
      );
      await workUntil(sites, async () => (await coordinator.run(run)).state === 'running');
      zeta.faults = { leavesUndone: (step, { kind }) => kind !== 'confirm' && step === 'prepareSum' };
      await workUntil(sites, () => sites.every((site) => site.closed));
      const { rounds, setAside } = await coordinator.run(run);
      const updates = rounds.filter(({ kind }) => kind === 'update');
      expect(updates).toHaveLength(6);
      for (const { excluded } of updates)
        expect(excluded).toEqual([
          { site: 'zeta', reason: 'late', detail: 'no nonce when 3 sites were ready, as many as the plan waits for' },
        ]);
      expect(setAside).toEqual([]);
    } finally {
      for (const site of sites) site.calls.close();
      await coordinator.remove();
    }
  });
});
