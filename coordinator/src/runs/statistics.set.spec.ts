import { describe, expect, it } from 'vitest';
import { runningView } from '../testing/run-view.fixture.js';
import { requireSameStatistics, statisticsSet } from './statistics.set.js';

describe('the sites whose statistics were summed', () => {
  it('are nobody before a set was fixed', () => {
    expect(statisticsSet([])).toBeUndefined();
    expect(statisticsSet([runningView({ state: 'uploading' })])).toBeUndefined();
    expect(() => requireSameStatistics(undefined, ['alpha'])).not.toThrow();
  });

  it('are those of the first such sum of all runs, from the freeze on', () => {
    const later = runningView({ state: 'closed', counted: ['alpha', 'beta'], openedMs: 9 });
    const first = runningView({ state: 'attesting', counted: ['gamma', 'alpha', 'beta'], openedMs: 5 });
    const other = runningView({ kind: 'update', state: 'closed', counted: ['delta'], openedMs: 1 });
    expect(statisticsSet([later, first, other])).toEqual(['alpha', 'beta', 'gamma']);
  });

  it.each([
    [['alpha', 'beta', 'gamma'], /without none of them and with gamma beside/],
    [['alpha'], /without beta of them and with none beside/],
  ])('let no run begin among %j, and say among whom it could', (sites, said) => {
    expect(() => requireSameStatistics(['alpha', 'beta'], sites)).toThrow(said);
    expect(() => requireSameStatistics(['alpha', 'beta'], sites)).toThrow('--sites alpha,beta');
  });

  it('let every run begin among the same, in whatever order', () =>
    expect(() => requireSameStatistics(['alpha', 'beta'], ['beta', 'alpha'])).not.toThrow());
});
