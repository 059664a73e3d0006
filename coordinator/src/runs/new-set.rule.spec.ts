import { describe, expect, it } from 'vitest';
import type { RoundRow } from '../rounds/round.entity.js';
import { SITES, runningView } from '../testing/run-view.fixture.js';
import { neededApprovers, requirePossibleSet, requireStopped } from './new-set.rule.js';
import type { RunView } from './run.view.js';

const [first, second, third] = [SITES, SITES.slice(0, 3), [SITES[0]!, SITES[1]!, SITES[3]!]];
const T = '7'.repeat(64);

/** A run whose first update was frozen over everybody and then, with everybody's approval, opened over the second set. */
function stalledOverSecond(rounds = 2): RunView {
  const view = runningView();
  const shared: RoundRow = { ...view.rounds[0]!, kind: 'update', round: 1, modelIn: 'a'.repeat(64) };
  const frozen: RoundRow = { ...shared, sum: 6, state: 'superseded', t: T, counted: first };
  const stalled: RoundRow = { ...shared, sum: 7, state: 'stalled', fixedSet: second, newSet: '6/1' };
  return { ...view, plan: { ...view.plan, rounds }, rounds: [frozen, stalled] };
}

const refusal = (view: RunView, sites: readonly string[]): string => {
  try {
    requirePossibleSet(view, requireStopped(view, 7), sites);
    return '';
  } catch (error) {
    return (error as Error).message;
  }
};

describe('another set for a sum whose approved set was never frozen', () => {
  it('starts from the set that sites are bound to, with the T that bound them', () => {
    expect(requireStopped(stalledOverSecond(), 7)).toMatchObject({ before: first, t: T });
  });

  it('is neither the set that the sum is over nor a way back', () => {
    const view = stalledOverSecond();
    expect(refusal(view, second)).toMatch(/is the set that sum 7 is over already/);
    expect(refusal(view, first)).toMatch(/no way back/);
    expect(refusal(view, third)).toBe('');
  });

  it('asks whom any of the three concerns', () => {
    const view = stalledOverSecond();
    expect(neededApprovers(view, view.rounds[1]!, third!)).toEqual(['gamma', 'zeta']);
    // Once two were frozen, sums of all three could be combined: who is in all of them is concerned too.
    const frozen = { ...view.rounds[1]!, state: 'stuck' as const, t: T, counted: second! };
    expect(neededApprovers({ ...view, rounds: [view.rounds[0]!, frozen] }, frozen, third!)).toEqual(SITES);
  });
});

describe('another set', () => {
  it('is not proposed where every site would refuse the number of its sum', () => {
    // 4 confirm sums, the statistics, the rounds and another try of each, the evaluation: sum 8, the second round and the evaluation fit into 10.
    expect(refusal(stalledOverSecond(2), third)).toBe('');
    expect(refusal(stalledOverSecond(1), third)).toMatch(/at most 8 sums in 1 key epochs, and with one more it would need 9/);
  });
});
