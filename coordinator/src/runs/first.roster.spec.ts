import { describe, expect, it } from 'vitest';
import { runningView } from '../testing/run-view.fixture.js';
import { firstRoster } from './first.roster.js';

const members = (count: number) =>
  Array.from({ length: count }, (_, index) => ({ site: `site-${index}`, identityKey: index.toString(16).padStart(64, '0') }));

describe('the roster of a run', () => {
  it('has no more sites than a statement can list: no site could approve it', () => {
    const { plan } = runningView();
    expect(() => firstRoster(plan, members(129))).toThrow(expect.objectContaining({ code: 'impossible-quorum' }));
    expect(() => firstRoster(plan, members(129))).toThrow('The number of sites is 129');
    expect(firstRoster(plan, members(128)).numbers.n).toBe(128);
  });
});
