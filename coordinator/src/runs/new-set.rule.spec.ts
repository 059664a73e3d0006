import { describe, expect, it } from 'vitest';
import { SITES, runningView } from '../testing/run-view.fixture.js';
import { neededApprovers, requirePossibleSet, requireStopped } from './new-set.rule.js';
import type { RunView } from './run.view.js';

const T = 'c'.repeat(64);
const SECOND = ['alpha', 'beta', 'gamma'];
const THIRD = ['alpha', 'beta', 'zeta'];

/** Sum 5 was frozen over all four; another set was approved, and sum 6 over it lacks one of its sites before it was frozen. */
function stalledSecond(): RunView {
  const view = runningView({ kind: 'update', round: 1, modelIn: 'd'.repeat(64), state: 'superseded', t: T, counted: SITES });
  const [first] = view.rounds;
  const second = { ...first!, sum: 6, state: 'stalled' as const, t: null, counted: [], fixedSet: SECOND, newSet: '5/1' };
  return { ...view, run: { ...view.run, state: 'stuck' }, rounds: [first!, second] };
}

describe('another set in the place of a second one that was never frozen', () => {
  it('starts from the set that sites may have signed, with its T', () => {
    expect(requireStopped(stalledSecond(), 6)).toMatchObject({ before: SITES, t: T });
  });

  it('is neither the one that was frozen nor the one that lacks a site', () => {
    const view = stalledSecond();
    const stopped = requireStopped(view, 6);
    view.epoch.roster = { ...view.epoch.roster, numbers: { ...view.epoch.roster.numbers, minContributors: 3 } };
    for (const same of [SITES, SECOND]) expect(() => requirePossibleSet(view, stopped, same)).toThrow(/over already|frozen first/);
    expect(requirePossibleSet(view, stopped, THIRD)).toEqual(THIRD);
  });

  it('asks whom any of the three concerns', () => {
    const view = stalledSecond();
    expect(neededApprovers(view, view.rounds[1]!, THIRD)).toEqual(['gamma', 'zeta']);
    // Once two were frozen, sums of all three could be combined: who is in all of them is concerned too.
    const frozen = { ...view.rounds[1]!, state: 'stuck' as const, t: T, counted: SECOND };
    expect(neededApprovers({ ...view, rounds: [view.rounds[0]!, frozen] }, frozen, THIRD)).toEqual(SITES);
  });
});
