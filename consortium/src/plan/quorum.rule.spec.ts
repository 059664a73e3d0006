import { describe, expect, it } from 'vitest';
import { ConsortiumError } from '../errors/index.js';
import { parsePlan, resolveQuorum } from './index.js';

const plan = (privacy: object = {}, quorum: object = {}) =>
  parsePlan({
    schema: 1,
    plan: 'p',
    sample: { of: ['ph'] },
    target: { variable: 'product_concentration' },
    model: { kind: 'linear' },
    privacy,
    quorum,
  });

describe('an impossible quorum', () => {
  it.each([
    ['one site', plan(), 1, /impossible among 1 sites/],
    ['two sites', plan(), 2, /impossible among 2 sites/],
    ['more key holders than sites', plan({ keyHolders: 5 }), 4, /keyHolders 5, .*impossible among 4 sites/],
    ['a threshold that the colluders reach', plan({ keyHolders: 5, threshold: 2, collusionBound: 2 }), 5, /threshold 2/i],
    ['too few contributors for the bound', plan({}, { minContributors: 3 }), 5, /minContributors 3 with 2 colluding/],
    ['more contributors than sites', plan({}, { minContributors: 6 }), 5, /minContributors is 6/],
    ['an attest quorum above the sites', plan({ keyHolders: 3, threshold: 3, collusionBound: 2 }), 3, /impossible among 3 sites/],
    ['two contributors', plan({ collusionBound: 0 }, { minContributors: 2 }), 5, /at least 3/],
    ['waiting for more than there are', plan({}, { waitFor: 6 }), 5, /waitFor 6 .* to 5/],
    ['waiting for fewer than must contribute', plan({}, { waitFor: 3 }), 5, /waitFor 3 .* from minContributors = 4/],
  ])('is refused with the numbers: %s', (_, refused, sites, message) => {
    try {
      resolveQuorum(refused, sites);
      expect.unreachable();
    } catch (error) {
      expect((error as ConsortiumError).code).toBe('impossible-quorum');
      expect((error as ConsortiumError).message).toMatch(message);
    }
  });
});

describe('the numbers of a plan', () => {
  it.each([
    [3, { n: 3, m: 3, tau: 3, c: 1, rho: 3, minContributors: 3 }],
    [4, { n: 4, m: 4, tau: 3, c: 1, rho: 3, minContributors: 3 }],
    [5, { n: 5, m: 5, tau: 4, c: 2, rho: 4, minContributors: 4 }],
    [7, { n: 7, m: 7, tau: 5, c: 3, rho: 6, minContributors: 5 }],
    [12, { n: 12, m: 7, tau: 5, c: 4, rho: 9, minContributors: 6 }],
  ])('among %d sites follow the defaults', (sites, numbers) => {
    expect(resolveQuorum(plan(), sites)).toEqual(numbers);
  });

  it('are the plan’s own where it names them', () => {
    const own = plan({ keyHolders: 4, threshold: 3, collusionBound: 1 }, { minContributors: 5, waitFor: 6 });
    expect(resolveQuorum(own, 9)).toEqual({ n: 9, m: 4, tau: 3, c: 1, rho: 6, minContributors: 5 });
  });

  it('never fall below three contributors', () => {
    expect(resolveQuorum(plan({ collusionBound: 0 }), 5).minContributors).toBe(3);
  });
});
