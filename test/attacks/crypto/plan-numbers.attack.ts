import {
  checkRoster,
  holderPoint,
  parsePlan,
  planAggregation,
  requirePlannedAggregation,
  resolveQuorum,
  type Roster,
} from '@coferment/consortium';
import { type AggregationParameters, committeeConstants, digest, doubledNoise, parameterSet } from '@coferment/crypto';
import { describe, expect, it } from 'vitest';

/*
 * Numbers that would let c sites and the operator win, asked for in a plan or written into a roster.
 * Who: the operator, who writes plans and builds rosters. What it wants: a threshold that its c sites reach by themselves, a sum that holds one honest
 * site, two certificates, values that run into each other, or noise that decodes wrongly (or, with less of it, shows more).
 * What it meets: every member computes the numbers from the plan and the number of sites itself, refuses impossible ones with the numbers in the
 * message, and refuses a roster whose numbers are not these.
 */

const plan = (privacy: object, rest: object = {}) =>
  parsePlan({
    schema: 1,
    plan: 'greedy',
    sample: { of: ['temperature'] },
    target: { variable: 'product_concentration' },
    model: { kind: 'linear' },
    privacy,
    ...rest,
  });

const impossible = (...parts: string[]): Error =>
  expect.objectContaining({
    code: 'impossible-quorum',
    message: expect.stringMatching(
      new RegExp(parts.map((part) => part.replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`)).join('.*')),
    ) as string,
  }) as Error;

describe('a plan', () => {
  it.each([
    ['a threshold that c sites reach', { keyHolders: 7, threshold: 3, collusionBound: 3 }, {}, ['Threshold 3 with 3 colluding sites']],
    [
      'a sum with one honest site in it',
      { collusionBound: 3 },
      { quorum: { minContributors: 4 } },
      ['minContributors 4 with 3 colluding sites', '5'],
    ],
    ['a sum of two', { collusionBound: 0 }, { quorum: { minContributors: 2 } }, ['minContributors 2', '3']],
    ['more signatures than sites', { keyHolders: 7, threshold: 7, collusionBound: 6 }, {}, ['minContributors is 8']],
  ] as const)('with %s is refused with its numbers', (_, privacy, rest, parts) => {
    expect(() => resolveQuorum(plan(privacy, rest), 7)).toThrow(impossible('among 7 sites', ...parts));
  });

  it('never resolves to τ ≤ c, fewer contributors than c + 2, or ρ > n, whatever it asks for', () => {
    let accepted = 0;
    for (let n = 3; n <= 13; n++) {
      for (let threshold = 2; threshold <= Math.min(n, 12); threshold++) {
        for (let collusionBound = 0; collusionBound < n; collusionBound++) {
          for (let minContributors = 2; minContributors <= n; minContributors++) {
            const asked = plan({ keyHolders: Math.min(n, 12), threshold, collusionBound }, { quorum: { minContributors } });
            let numbers;
            try {
              numbers = resolveQuorum(asked, n);
            } catch (error) {
              expect(error).toMatchObject({ code: 'impossible-quorum' });
              continue;
            }
            accepted++;
            expect(numbers.tau).toBeGreaterThan(numbers.c);
            expect(numbers.minContributors).toBeGreaterThanOrEqual(Math.max(3, numbers.c + 2));
            expect(numbers.rho).toBeLessThanOrEqual(n);
            expect(2 * numbers.rho).toBeGreaterThan(n + numbers.c);
          }
        }
      }
    }
    expect(accepted).toBeGreaterThan(500);
  });

  it('with values that would reach t is refused with the numbers, or packed so that they do not', () => {
    const { plainModulus } = parameterSet('STANDARD');
    expect(() => planAggregation({ sites: 128, keyHolders: 7, threshold: 5, valueBits: 33 })).toThrow('33');
    for (const sites of [3, 16, 100, 128]) {
      for (const valueBits of ['auto', 4, 12, 19, 32] as const) {
        let planned: AggregationParameters;
        try {
          planned = planAggregation({ sites, keyHolders: 3, threshold: 3, valueBits });
        } catch (error) {
          expect(error).toMatchObject({ code: 'packing-does-not-fit' });
          continue;
        }
        const digit = BigInt(sites) * ((1n << BigInt(planned.valueBits)) - 1n);
        expect(digit).toBeLessThan(1n << BigInt(planned.digitBits));
        const largest = Array.from({ length: planned.digitsPerCoefficient }, (_, i) => digit << BigInt(i * planned.digitBits)).reduce(
          (a, b) => a + b,
        );
        expect(largest).toBeLessThan(plainModulus);
      }
    }
  });
});

describe('parameters from elsewhere', () => {
  const honest = planAggregation({ sites: 7, keyHolders: 7, threshold: 5 });
  const changes: [string, Partial<AggregationParameters>][] = [
    ['one bit too many dropped from uploads', { droppedBits: honest.droppedBits + 1, keptBits: honest.keptBits - 1 }],
    ['one bit too many dropped from shares', { shareDroppedBits: honest.shareDroppedBits + 1 }],
    ['less smudging', { smudgingBits: honest.smudgingBits - 8 }],
    ['another κ', { kappa: 8 }],
    ['wider values', { valueBits: honest.valueBits + 1 }],
    ['more sites in a sum', { sites: 40 }],
    ['nothing dropped', { droppedBits: 0, keptBits: 180 }],
  ];

  it.each(changes)('with %s are refused', (_, change) => {
    expect(() => requirePlannedAggregation(honest)).not.toThrow();
    const [name] = Object.keys(change) as (keyof AggregationParameters)[];
    expect(() => requirePlannedAggregation({ ...honest, ...change })).toThrow(/is \d+/);
    expect(change[name!]).not.toBe(honest[name!]);
  });

  it('one bit short are really short: some τ of the holders decode to a wrong message then', () => {
    const { modulus, plainModulus } = parameterSet('STANDARD');
    const { decodingSets } = committeeConstants(7, 5);
    const worst = (parameters: AggregationParameters): bigint =>
      decodingSets
        .map((decoding) => 2n * plainModulus * doubledNoise(committeeConstants(7, 5), decoding, { addends: 7, ...parameters }))
        .reduce((a, b) => (a > b ? a : b));
    expect(worst(honest)).toBeLessThan(modulus);
    expect(worst({ ...honest, droppedBits: honest.droppedBits + 1 })).toBeGreaterThanOrEqual(modulus);
  });
});

describe('a roster', () => {
  const sites = Array.from({ length: 7 }, (_, index) => ({ site: `site-${index}`, identityKey: digest('identity', index) }));
  const roster = (): Roster => ({
    sites,
    keyHolders: sites.map(({ site }, position) => ({ site, point: holderPoint(position) })),
    numbers: resolveQuorum(plan({}), 7),
    parameters: planAggregation({ sites: 7, keyHolders: 7, threshold: 5 }),
    leftOut: [],
    sealingKeys: [],
  });
  const withHolder = (position: number, change: object): Roster => {
    const made = roster();
    Object.assign(made.keyHolders[position]!, change);
    return made;
  };
  const withNumbers = (change: object): Roster => ({ ...roster(), numbers: { ...roster().numbers, ...change } });

  it.each([
    // A holder at zero would hold S(0): everybody's secret key.
    ['the point zero', () => withHolder(2, { point: 0 })],
    ['one point twice', () => withHolder(2, { point: 1 })],
    ['a point that is a multiple of the order of nothing small', () => withHolder(6, { point: 2 ** 40 })],
    ['a holder twice', () => withHolder(3, { site: 'site-0' })],
    ['a holder from outside', () => withHolder(3, { site: 'stranger' })],
    ['a threshold of c', () => withNumbers({ tau: 3 })],
    ['a lower attest quorum', () => withNumbers({ rho: 5 })],
    ['fewer contributors', () => withNumbers({ minContributors: 4 })],
    ['a higher bound for colluders', () => withNumbers({ c: 4 })],
    ['fewer sites than it lists', () => withNumbers({ n: 6 })],
    [
      'two sites with one identity',
      () => ({ ...roster(), sites: sites.map((entry) => ({ ...entry, identityKey: sites[0]!.identityKey })) }),
    ],
  ] as const)('with %s is refused', (_, made) => {
    expect(() => checkRoster(roster())).not.toThrow();
    expect(() => checkRoster(made())).toThrow(expect.objectContaining({ code: 'invalid-roster' }) as Error);
  });
});
