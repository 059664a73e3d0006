import { describe, expect, it } from 'vitest';
import { concernedSites } from './new-set.rule.js';

describe('whom another set concerns', () => {
  it('is who is in one of two sets only', () => {
    expect(concernedSites([['a', 'b', 'c']], ['b', 'c', 'd'])).toEqual(['a', 'd']);
    expect(concernedSites([], ['a', 'b', 'c'])).toEqual([]);
  });

  it('is everybody from the third set on, also who is in all of them', () => {
    const value = { v: 41, x: 3, y: 5, z: 7 };
    const sum = (...sites: (keyof typeof value)[]) => sites.reduce((total, site) => total + value[site], 0);
    // What x works out from the three sums and its own value.
    expect(sum('v', 'x', 'y') + sum('v', 'x', 'z') - sum('v', 'y', 'z') - 2 * value.x).toBe(value.v);
    const earlier = [
      ['v', 'x', 'y'],
      ['v', 'x', 'z'],
    ];
    expect(concernedSites(earlier, ['v', 'y', 'z'])).toEqual(['v', 'x', 'y', 'z']);
  });

  it('counts a set once, and the way back to an earlier one as two sets', () => {
    const sets = [
      ['a', 'b', 'c'],
      ['b', 'c', 'd'],
      ['a', 'b', 'c'],
    ];
    expect(concernedSites(sets, ['b', 'c', 'd'])).toEqual(['a', 'd']);
  });
});
