import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { planAggregation } from '../budget/index.js';
import { exactNames } from '../model-vector/index.js';
import { type Plan, parsePlan } from '../plan/index.js';
import { effectiveBits, initialState, updateBits } from './index.js';

const plan = (extra: object = {}): Plan =>
  parsePlan({
    schema: 1,
    plan: 'p',
    sample: { of: ['ph'], summarise: ['last'] },
    target: { variable: 'product_concentration' },
    normalisation: 'none',
    model: { kind: 'linear' },
    ...extra,
  });

/** State of a run of five sites whose statistics count so many rows together. */
function counting(of: Plan, rows: number, addends = 5) {
  const exact = exactNames(of, 'statistics').map((name) => (name === 'count' ? BigInt(rows) : 0n));
  return initialState(of, { ordinal: 1, siteIds: ['a', 'b', 'c', 'd', 'e'].slice(0, addends), statistics: { exact, addends } });
}
const bitsOf = (of: Plan, rows: number, own: number, valueBits = 15) => updateBits(of, counting(of, rows), own, valueBits);
const refuses = ({ bits, least }: { bits: number; least: number }): boolean => bits < least;

describe('effective bits', () => {
  it('are one fewer for every halving below the cap, and never more than the value has', () => {
    expect([1, 2, 16, 64, 1000].map((weight) => effectiveBits(15, weight, 64))).toEqual([9, 10, 13, 15, 15]);
  });
});

describe('the bits of a site', () => {
  it('are all but two in a run of equal sites, whatever the plan weighs by', () => {
    for (const extra of [{}, { weighting: { by: 'equal' } }, { training: { initialRange: 0.1 } }]) {
      for (const rows of [1, 40, 64, 100_000]) {
        const judged = bitsOf(plan(extra), 5 * rows, rows);
        expect(judged.bits).toBeGreaterThanOrEqual(13);
        expect(judged.least).toBe(5);
      }
    }
  });

  it('are enough for a site of a thirty-second of the mean, at sixteen sites', () => {
    expect(refuses(bitsOf(plan(), 5 * 3200, 100))).toBe(false);
    expect(bitsOf(plan(), 5 * 3200, 100)).toMatchObject({ weight: 100, cap: 8192 });
  });

  it.each([
    ['by samples under the automatic cap', {}],
    ['by samples, with an own first range', { training: { initialRange: 1 } }],
    ['by samples under a cap of the plan', { weighting: { cap: 64 } }],
    ['equally', { weighting: { by: 'equal' } }],
  ])('are too few once somebody claims rows enough, when a plan weighs %s', (_, extra) => {
    expect(refuses(bitsOf(plan(extra), 160 + 4000, 40))).toBe(false);
    expect(refuses(bitsOf(plan(extra), 160 + 2 ** 46, 40))).toBe(true);
  });

  it('stay where they are under a cap or equal weights with a first range, which is what a refusal advises', () => {
    for (const weighting of [{ by: 'equal' }, { cap: 64 }]) {
      const judged = bitsOf(plan({ weighting, training: { initialRange: 1 } }), 160 + 2 ** 46, 40);
      expect(judged.bits).toBeGreaterThan(14);
    }
  });

  it('need to be no more than half of those that a plan with coarse values has', () => {
    for (const valueBits of [4, 6, 8]) {
      expect(bitsOf(plan(), 200, 40, valueBits).least).toBe(valueBits / 2);
      expect(refuses(bitsOf(plan(), 200, 40, valueBits))).toBe(false);
    }
  });

  it('are none without rows', () => {
    expect(() => bitsOf(plan(), 200, 0)).toThrow(expect.objectContaining({ code: 'out-of-range' }));
  });
});

describe('the plan of the E. coli example', () => {
  it('leaves each of its three silos far more than the least', () => {
    const example = parsePlan(readFileSync(fileURLToPath(new URL('../../../examples/ecoli-proteinl/plan.yaml', import.meta.url)), 'utf8'));
    const { keyHolders, threshold } = example.privacy;
    const { valueBits } = planAggregation({ sites: 3, keyHolders: keyHolders!, threshold: threshold! });
    // Each silo trains on three runs of seven samples.
    const { bits, least } = updateBits(example, counting(example, 63, 3), 21, valueBits);
    expect(bits).toBeGreaterThan(least + 8);
  });
});
