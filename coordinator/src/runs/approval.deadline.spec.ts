import { runId } from '@coferment/consortium';
import { describe, expect, it } from 'vitest';
import { owedInstructions, START } from '../rounds/owed.js';
import { give, SITES, storedRun } from '../testing/run-view.fixture.js';
import { requireInTime } from './approval.deadline.js';
import { nextStep } from './next.step.js';
import { waitingOf } from './run.waiting.js';
import type { RunView } from './run.view.js';

const nobody = () => new Set<string>();
const DEADLINE = 604_800_000;

function approvedBy(...sites: string[]): RunView {
  const view = storedRun({ approveByMs: DEADLINE });
  for (const site of sites)
    give(view, 'plan-approved', site, '', { consortium: 'unit', site, plan: view.run.plan, ordinal: 1, sites: SITES });
  return view;
}

describe('a deadline for approvals', () => {
  it('changes nothing for a run that all have approved, early or late', () => {
    const view = approvedBy(...SITES);
    for (const nowMs of [0, DEADLINE, DEADLINE + 1]) expect(nextStep(view, nobody, nowMs)).toEqual({ do: 'start-epoch' });
  });

  it('waits until it is there, and not a moment longer', () => {
    const view = approvedBy('alpha', 'gamma', 'zeta');
    expect(nextStep(view, nobody, DEADLINE - 1)).toBeUndefined();
    expect(nextStep(view, nobody, DEADLINE)).toMatchObject({ do: 'narrow-roster' });
  });

  it('lets a run without one wait for ever', () => {
    const view = approvedBy('alpha', 'gamma', 'zeta');
    view.run.approveByMs = null;
    expect(nextStep(view, nobody, Number.MAX_SAFE_INTEGER)).toBeUndefined();
  });

  it('takes the run on among those that have approved, with the numbers of exactly so many', () => {
    const step = nextStep(approvedBy('zeta', 'alpha', 'gamma'), nobody, DEADLINE);
    if (step?.do !== 'narrow-roster') throw new Error(`unexpected: ${step?.do}`);
    expect(step).toMatchObject({ sites: ['alpha', 'gamma', 'zeta'], notApproved: ['beta'] });
    expect(step.roster.sites.map(({ site }) => site)).toEqual(['alpha', 'gamma', 'zeta']);
    expect(step.roster.keyHolders.map(({ site, point }) => [site, point])).toEqual([
      ['alpha', 1],
      ['gamma', -1],
      ['zeta', 2],
    ]);
    expect(step.roster.numbers).toEqual({ n: 3, m: 3, tau: 3, c: 1, rho: 3, minContributors: 3 });
    expect(step.roster.parameters).toMatchObject({ sites: 3, keyHolders: 3, threshold: 3 });
  });

  it.each([
    ['two', ['alpha', 'zeta'], /^2 of 4 sites approved within 7 d.*impossible among 2 sites.*Not approved: beta, gamma\.$/],
    ['none', [], /^0 of 4 sites approved within 7 d.*Not approved: alpha, beta, gamma, zeta\.$/],
  ])('ends the run when %s have approved, and says who has not and why they are too few', (_, sites, cause) => {
    const view = approvedBy(...sites);
    expect(nextStep(view, nobody, DEADLINE)).toMatchObject({
      do: 'give-up',
      cause: expect.stringMatching(cause),
      whatToDo: expect.stringContaining(`coferment launch ${view.run.plan}`),
    });
  });

  it('ends the run when the plan asks for more than have approved', () => {
    const view = approvedBy('alpha', 'beta', 'gamma');
    view.plan = { ...view.plan, quorum: { ...view.plan.quorum, minContributors: 4 } };
    expect(nextStep(view, nobody, DEADLINE)).toMatchObject({
      do: 'give-up',
      notApproved: ['zeta'],
      cause: expect.stringMatching(/minContributors 4/),
    });
  });

  it('is told to whoever waits', () => {
    expect(waitingOf(approvedBy('alpha', 'beta', 'gamma'))).toMatchObject({
      waitingFor: ['zeta'],
      deadlineMs: DEADLINE,
      whatToDo: expect.stringMatching(/goes on among those that have approved/),
    });
    const view = storedRun();
    expect(waitingOf(view)).toMatchObject({
      deadlineMs: 0,
      whatToDo: expect.stringContaining(`coferment abort ${runId(view.run.plan, 1)}`),
    });
  });

  it('refuses what comes after it, before and after the run has gone on', () => {
    const waiting = approvedBy('alpha', 'beta', 'gamma');
    expect(() => requireInTime(waiting, 'zeta', DEADLINE - 1)).not.toThrow();
    expect(() => requireInTime(waiting, 'zeta', DEADLINE)).toThrow(expect.objectContaining({ code: 'not-owed' }));
    const gone = storedRun({ state: 'key-ceremony', approveByMs: DEADLINE, sites: SITES.slice(0, 3), notApproved: ['zeta'] });
    expect(() => requireInTime(gone, 'zeta', 0)).toThrow(/"zeta" came after 1970-01-08.*was not stored/);
  });

  it('leaves nothing to do for a site that missed it', () => {
    const gone = storedRun({ state: 'key-ceremony', approveByMs: DEADLINE, sites: SITES.slice(0, 3), notApproved: ['zeta'] });
    expect(owedInstructions(gone, 'zeta', START)).toEqual([]);
    expect(owedInstructions(gone, 'alpha', START)).not.toEqual([]);
  });
});
