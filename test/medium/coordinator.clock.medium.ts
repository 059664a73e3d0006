import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { ask } from '../../coordinator/src/cli/operator.client.js';
import { Database } from '../../coordinator/src/persistence/database.js';
import { Presence } from '../../coordinator/src/rounds/presence.js';
import { KeptTime } from '../../coordinator/src/runs/kept.time.js';
import { RunReconciler } from '../../coordinator/src/runs/run.reconciler.js';
import { RunViews } from '../../coordinator/src/runs/run.views.js';
import { PLAN_TEXT, TestCoordinator } from '../../coordinator/src/testing/coordinator.fixture.js';
import type { ScriptedSite } from '../../coordinator/src/testing/scripted-site.fixture.js';
import { Clock } from '../../coordinator/src/telemetry/clock.js';
import { workPatiently } from './patient.sites.fixture.js';

const HOUR = 3_600_000;
const DEADLINE_H = 10;

describe('a coordinator whose clock is set, or that was away', () => {
  const coordinator = new TestCoordinator();
  let sites: ScriptedSite[];
  let run: string;
  let approving: string;

  beforeAll(async () => {
    expect(PLAN_TEXT).toContain(`deadline: ${DEADLINE_H} h`);
    await coordinator.start();
    sites = await coordinator.join('alpha', 'beta', 'gamma');
    run = await coordinator.launch();
    await workPatiently(sites, async () => (await coordinator.run(run)).rounds.length > 0);
    approving = await coordinator.launch(PLAN_TEXT.replace('plan: scripted', 'plan: other'), [], HOUR);
  });
  afterEach(() => vi.restoreAllMocks());
  afterAll(async () => {
    for (const site of sites) site.calls.close();
    await coordinator.remove();
  });

  const context = () => coordinator.running.context;
  const view = (id = run) => context().get(RunViews).load(id);
  const openRound = async () => (await view()).rounds.find(({ closedMs }) => closedMs === null)!;
  const leftMs = async () => (await openRound()).deadlineMs - context().get(Clock).nowMs();
  /** As if time had been kept up to so much before now; negative: after now. */
  const lastKept = (agoMs: number) =>
    context()
      .get(Database)
      .transaction((manager) => manager.query('UPDATE kept_time SET seen_ms = seen_ms - $1', [agoMs]));
  const setApproveBy = (ms: number) =>
    context()
      .get(Database)
      .transaction((manager) => manager.query('UPDATE run SET approve_by_ms = $2, version = version + 1 WHERE run = $1', [approving, ms]));
  const look = async () => {
    await new Promise((resolve) => setTimeout(resolve, 1100));
    await context().get(KeptTime).nowMs();
    await coordinator.rest(run);
  };

  it.each([
    ['forwards', 12 * HOUR],
    ['back', -12 * HOUR],
  ])('moves every open deadline once when it finds the clock set %s, and says so', async (_word, leapMs) => {
    const [before, wait, { version }] = [await openRound(), (await view(approving)).run.approveByMs!, (await view()).run];
    await lastKept(leapMs);
    await look();
    await look();
    const [after, waitAfter, runAfter] = [await openRound(), (await view(approving)).run.approveByMs!, (await view()).run];
    // The moments between two looks count as kept time or as leap: all that is left is less than a few seconds.
    expect(Math.abs(after.deadlineMs - before.deadlineMs - leapMs)).toBeLessThan(5000);
    expect(Math.abs(waitAfter - wait - leapMs)).toBeLessThan(5000);
    expect(after.state).toBe(before.state);
    expect(runAfter.version).toBeGreaterThan(version);
    const events = (await context()
      .get(Database)
      .transaction((manager) => manager.query(`SELECT text FROM event WHERE run = $1 AND text LIKE 'Open deadlines%'`, [run]))) as {
      text: string;
    }[];
    expect(events.at(-1)?.text).toMatch(/moved by −?12 h/);
  });

  it('does not let a round expire because its machine leapt by a day: the wall clock decides nothing between two looks', async () => {
    const left = await leftMs();
    const real = Date.now;
    vi.spyOn(Date, 'now').mockImplementation(() => real() + 24 * HOUR);
    await context().get(RunReconciler).advance(run);
    expect((await openRound()).state).not.toBe('abandoned');
    expect(Math.abs((await leftMs()) - left)).toBeLessThan(5000);
    const [alpha] = sites as [ScriptedSite];
    expect(context().get(Presence).absent([alpha.member], context().get(Clock).steadyMs(), 1000).size).toBe(0);
  });

  it('takes nothing from a deadline while it is stopped', async () => {
    const left = await leftMs();
    await lastKept(2 * HOUR);
    await coordinator.stop();
    await coordinator.start();
    expect(Math.abs((await leftMs()) - left - 2 * HOUR)).toBeLessThan(15_000);
  });

  /** Without its tick, so that whoever calls comes first. */
  const away = async (ms: number, call: () => Promise<void>) => {
    const reconciler = context().get(RunReconciler);
    await reconciler.onModuleDestroy();
    try {
      await lastKept(ms);
      await new Promise((resolve) => setTimeout(resolve, 1100));
      await call();
    } finally {
      reconciler.start();
    }
  };

  it('takes an approval for which there was time left when it went away, although it comes before its first look', async () => {
    const [alpha] = sites as [ScriptedSite];
    const { plan, ordinal, sites: asked } = (await view(approving)).run;
    const approval = { consortium: 'scripted', site: 'alpha', plan, ordinal, sites: asked };
    // When it went away a minute was left.
    const closing = context().get(Clock).nowMs() - 2 * HOUR + 60_000;
    await away(2 * HOUR, async () => {
      await setApproveBy(closing);
      await expect(alpha.submit('plan-approved', approval)).resolves.toBeDefined();
    });
  });

  it('still lets a deadline pass that is really over', async () => {
    await setApproveBy(1);
    await coordinator.rest(approving);
    expect((await view(approving)).run.state).toBe('aborted');
  });

  it('pauses a run before its first look with what was left of its deadline when it went away', async () => {
    await workPatiently(sites, async () => (await coordinator.run(run)).state === 'running');
    const left = await leftMs();
    await away(3 * HOUR, async () => {
      const { operator } = coordinator.operator;
      await ask(operator.pauseRun.bind(operator), { run, reason: '' });
      await ask(operator.resumeRun.bind(operator), { run });
    });
    expect(Math.abs((await leftMs()) - left - 3 * HOUR)).toBeLessThan(15_000);
  });
});
