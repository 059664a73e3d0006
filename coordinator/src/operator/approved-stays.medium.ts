import type { OperatorServiceServer, RunStatus } from '@coferment/proto';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { ask } from '../cli/operator.client.js';
import { PLAN_TEXT, TestCoordinator, workUntil } from '../testing/coordinator.fixture.js';
import type { ScriptedSite } from '../testing/scripted-site.fixture.js';

/** Real keys in a run, on a machine that does other things too. */
vi.setConfig({ testTimeout: 300_000, hookTimeout: 300_000 });

/**
 * What each call of the operator may do to what the sites of a run have approved. `keeps`: nothing of it changes. `asks`: if it does, every site is asked
 * before anything is dealt or encrypted. `ends`: the run is over. `apart`: it only reads, or is about no run. A new call has to be put here, or this does not compile.
 */
const CALLS: Record<keyof OperatorServiceServer, 'keeps' | 'asks' | 'ends' | 'apart'> = {
  createInvite: 'apart',
  admitSite: 'apart',
  refuseSite: 'apart',
  revokeSite: 'apart',
  removeSite: 'apart',
  publishPlan: 'apart',
  launchRun: 'apart',
  getStatus: 'apart',
  getLedgerStatus: 'apart',
  getRun: 'apart',
  getRosters: 'apart',
  watchRun: 'apart',
  releaseModel: 'keeps',
  pauseRun: 'keeps',
  resumeRun: 'keeps',
  extendDeadline: 'keeps',
  readmitSite: 'keeps',
  openNewSet: 'keeps',
  renewEpoch: 'asks',
  abortRun: 'ends',
};

const coordinator = new TestCoordinator();
let sites: ScriptedSite[];
let run: string;

/** What a site has approved, by plan digest or by the fingerprint of the roster. */
function approved(status: RunStatus) {
  const {
    plan,
    ordinal,
    sites: asked,
    keyHolders,
    threshold,
    collusionBound,
    attestQuorum,
    minContributors,
    leftOut,
    fingerprint,
  } = status;
  const { parameters, roundsPlanned } = status;
  const numbers = { keyHolders, threshold, collusionBound, attestQuorum, minContributors, leftOut, parameters, roundsPlanned };
  return { plan, ordinal, asked, numbers, fingerprint };
}

/** Whether the coordinator took it or refused it, which depends on the state of the run. */
async function made(call: Promise<object>): Promise<boolean> {
  return call.then(
    () => true,
    () => false,
  );
}

beforeAll(async () => {
  await coordinator.start();
  sites = await coordinator.join('alpha', 'beta', 'gamma', 'zeta');
  run = await coordinator.launch(`${PLAN_TEXT}privacy: { keyHolders: 3, threshold: 3 }\n`);
  await workUntil(sites, async () => (await coordinator.run(run)).state === 'key-ceremony');
});
afterAll(async () => {
  for (const site of sites) site.calls.close();
  await coordinator.remove();
});

/** The tests go on from one another, so that keys are dealt once. */
describe('what the sites of a run have approved', () => {
  it('stays in a key epoch with the same members', async () => {
    const { operator } = coordinator.operator;
    const before = approved(await coordinator.run(run));
    await ask(operator.renewEpoch.bind(operator), { run, epoch: 2, leaveOut: '', replaceHolder: '' });
    expect(approved(await coordinator.run(run))).toEqual(before);
  });

  it.each([
    ['a holder is replaced', 3, { leaveOut: '', replaceHolder: 'alpha' }],
    ['a site is left out', 4, { leaveOut: 'alpha', replaceHolder: '' }],
  ])('is asked for anew where %s, before anything is dealt', async (_, epoch, change) => {
    const { operator } = coordinator.operator;
    const before = approved(await coordinator.run(run));
    await ask(operator.renewEpoch.bind(operator), { run, epoch, ...change });
    const after = await coordinator.run(run);
    expect(after.fingerprint).not.toBe(before.fingerprint);
    expect(approved(after)).toMatchObject({ plan: before.plan, asked: before.asked });
    for (let turn = 0; turn < 3; turn++) {
      for (const site of sites) {
        const { instructions } = await site.calls.poll([site.position], '', 0);
        for (const { kind } of instructions) {
          expect(['offerSealingKey', 'approveRoster']).toContain(kind!.$case);
          if (kind!.$case === 'offerSealingKey') await site.follow(kind!);
        }
      }
      await coordinator.rest(run);
    }
    // Every key is there, and still nothing but the approval of the roster is asked of anybody.
    const { rosters } = await ask(operator.getRosters.bind(operator), { run });
    expect(rosters.at(-1)).toMatchObject({ epoch, published: true, approved: [] });
  });

  it('stays, whatever the operator does to the clock of the run or to who is waited for', async () => {
    await workUntil(sites, async () => (await coordinator.run(run)).state === 'running');
    const { operator } = coordinator.operator;
    const before = approved(await coordinator.run(run));
    const { sum } = (await coordinator.run(run)).rounds.at(-1)!;
    const calls: Record<string, () => Promise<object>> = {
      extendDeadline: () => ask(operator.extendDeadline.bind(operator), { run, sum, byMs: 1000, reason: '' }),
      pauseRun: () => ask(operator.pauseRun.bind(operator), { run, reason: 'lunch' }),
      resumeRun: () => ask(operator.resumeRun.bind(operator), { run }),
      readmitSite: () => ask(operator.readmitSite.bind(operator), { run, site: 'zeta' }),
      openNewSet: () => ask(operator.openNewSet.bind(operator), { run, sum, sites: ['beta', 'gamma'] }),
      releaseModel: () => ask(operator.releaseModel.bind(operator), { run }),
    };
    const keeping = Object.entries(CALLS).flatMap(([name, kind]) => (kind === 'keeps' ? [name] : []));
    expect(Object.keys(calls).toSorted()).toEqual(keeping.toSorted());
    const taken: string[] = [];
    for (const [name, call] of Object.entries(calls)) {
      if (await made(call())) taken.push(name);
      expect({ after: name, ...approved(await coordinator.run(run)) }).toEqual({ after: name, ...before });
    }
    expect(taken).toEqual(expect.arrayContaining(['extendDeadline', 'pauseRun', 'resumeRun']));
  });

  it('ends with a run that is aborted while it is paused, and its sites hear it', async () => {
    const { operator } = coordinator.operator;
    await ask(operator.pauseRun.bind(operator), { run, reason: '' });
    await ask(operator.abortRun.bind(operator), { run, reason: 'not worth it' });
    expect(await coordinator.run(run)).toMatchObject({
      state: 'aborted',
      pausedMs: 0,
      cause: 'The operator aborted the run: not worth it',
    });
    for (const site of sites) expect(await site.work()).toContain('closeRun');
  });
});
