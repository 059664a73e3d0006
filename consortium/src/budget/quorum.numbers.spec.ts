import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { quorumNumbers, type QuorumChoice } from './quorum.numbers.js';

describe('quorumNumbers', () => {
  it.each([
    [{ n: 3, tau: 2, m: 2, c: 3 }, 'collusion bound is 3'],
    [{ n: 2 }, 'number of sites is 2'],
    [{ n: 5.5 }, 'number of sites is 5.5'],
    [{ n: 512 }, 'number of sites is 512'],
    [{ n: 20, m: 13 }, 'key holders is 13'],
    [{ n: 4, m: 5 }, 'key holders is 5'],
    [{ n: 7, m: 5, tau: 6 }, 'threshold is 6'],
    [{ n: 7, m: 7, tau: 3, c: 3 }, 'Threshold 3 with 3 colluding sites'],
    [{ n: 7, minContributors: 4 }, 'minContributors 4 with 3 colluding sites'],
    [{ n: 7, c: 0, minContributors: 2 }, 'minContributors 2 with 0 colluding sites'],
    [{ n: 7, minContributors: 8 }, 'minContributors is 8'],
    [{ n: 3, c: 2 }, 'minContributors is 4'],
  ] as [QuorumChoice, string][])('refuses %j with the numbers', (choice, message) => {
    expect(() => quorumNumbers(choice)).toThrow(message);
  });

  it.each([
    [3, undefined, 1, 3, 0],
    [4, undefined, 1, 3, 1],
    [5, undefined, 2, 4, 1],
    [7, undefined, 3, 6, 1],
    [9, undefined, 4, 7, 2],
    [12, undefined, 4, 9, 3],
    [16, undefined, 4, 11, 5],
    [100, 12, 8, 55, 45],
  ])('gives the published numbers for %i sites', (n, m, collusion, attestQuorum, attestAbsences) => {
    expect(quorumNumbers({ n, ...(m === undefined ? {} : { m }) })).toMatchObject({ collusion, attestQuorum, attestAbsences });
  });

  it('never lets two certificates exist without an honest site signing twice', () => {
    fc.assert(
      fc.property(fc.integer({ min: 3, max: 511 }), fc.integer({ min: 2, max: 12 }), (n, m) => {
        const numbers = quorumNumbers({ n, m: Math.min(n, m) });
        return 2 * numbers.attestQuorum > n + numbers.collusion && numbers.threshold > numbers.collusion;
      }),
    );
  });
});
