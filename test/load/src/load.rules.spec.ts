import { describe, expect, it } from 'vitest';
import { ruleFaults } from './load.rules.js';
import { growthOf, median } from './process.figures.js';
import type { LoadReport } from './load.schema.js';

const round: LoadReport['rounds'][number] = {
  round: 1,
  state: 'closed',
  counted: 9,
  excluded: [{ site: 'site-003', reason: 'absent' }],
  dropped: [{ site: 'site-003', kind: 'silent' }],
  seconds: 1,
  phases: {},
  uploadBytes: 1,
  coordinatorCpuSeconds: 1,
};
const good = { agents: 10, fewestContributors: 6, drop: 0.1, roundsAsked: 1, state: 'completed', rounds: [round] } as unknown as LoadReport;
const bad = (change: Partial<typeof round>) => ruleFaults({ ...good, rounds: [{ ...round, ...change }] });

describe('the rules of a load', () => {
  it('find nothing in a load that kept them', () => {
    expect(ruleFaults(good)).toEqual([]);
  });

  it.each([
    ['a round that was given up', { state: 'abandoned' }, /abandoned, not closed/],
    [
      'a round below the quorum of its plan',
      {
        counted: 5,
        excluded: Array(5)
          .fill(0)
          .map((_, i) => ({ site: `${i}`, reason: 'absent' })),
      },
      /fewer than the 6/,
    ],
    ['a site that is neither counted nor named', { excluded: [] }, /are not the 10 sites/],
    ['a site that is named twice', { counted: 8, excluded: [...round.excluded, ...round.excluded] }, /named twice/],
    ['a site without a reason', { excluded: [{ site: 'site-003', reason: '' }] }, /does not say why/],
    ['too few drops', { dropped: [] }, /0 agents were dropped, not 1/],
    ['an empty round', { uploadBytes: 0 }, /nothing was uploaded/],
  ])('find %s', (_, change, text) => {
    expect(bad(change).join()).toMatch(text);
  });

  it('find a run that did not come to its end', () => {
    expect(ruleFaults({ ...good, state: 'stuck' })).toEqual(['The run is stuck, not completed.']);
    expect(ruleFaults({ ...good, rounds: [] })).toEqual(['0 rounds were opened, not 1.']);
  });
});

describe('growth of memory', () => {
  it('is the last quarter against the second one', () => {
    expect(growthOf([9, 9, 1, 2, 5, 5, 3, 4])).toEqual({ secondQuarter: 1.5, lastQuarter: 3.5, ratio: 3.5 / 1.5 });
    expect(median([3, 1, 2])).toBe(2);
  });
});
