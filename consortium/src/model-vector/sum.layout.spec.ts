import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parsePlan } from '../plan/index.js';
import { confirmVector, decodeExact, encodeExact, exactNames, vectorShape } from './index.js';

const plan = (normalisation = 'federated') =>
  parsePlan({
    schema: 1,
    plan: 'p',
    sample: { of: ['ph'], summarise: ['last'] },
    target: { variable: 'product_concentration' },
    features: ['time_since_phase'],
    normalisation,
    model: { kind: 'linear' },
  });
const E = 'e'.repeat(64);

describe('values that are no contribution', () => {
  const good = { holdoutCount: 1, holdoutSumSquaredError: 2 };
  it.each([
    [{ holdoutCount: 1 }, /needs the field "holdoutSumSquaredError"/],
    [{ ...good, weight: 1 }, /has no field "weight"/],
    [{ ...good, holdoutCount: -1 }, /holdoutCount = -1/],
    [{ ...good, holdoutSumSquaredError: NaN }, /holdoutSumSquaredError = NaN/],
  ])('are refused by name (%#)', (values, message) => {
    expect(() => encodeExact(plan(), 'evaluate', values as Record<string, number>)).toThrow(message);
  });

  it('and sums of another layout are refused', () => {
    expect(() => decodeExact(plan(), 'evaluate', [1n])).toThrow(/2 exact integers, not 1/);
    expect(() => confirmVector(E, 'a', 33)).toThrow(/33 value bits/);
  });
});

describe('the layout of a sum', () => {
  it('is fixed by plan and kind', () => {
    expect(exactNames(plan(), 'statistics')).toEqual([
      'count',
      'sum:ph.last',
      'sumSquares:ph.last',
      'sum:time_since_phase',
      'sumSquares:time_since_phase',
      'sum:target',
      'sumSquares:target',
    ]);
    expect(exactNames(plan('none'), 'statistics')).toEqual(['count']);
    expect(exactNames(plan(), 'update')).toEqual(['weight', 'holdoutCount', 'holdoutSumSquaredError', 'trainLossSum']);
    expect(vectorShape(plan(), 'update')).toEqual({ packed: 3, exact: 4 });
    expect(vectorShape(plan(), 'statistics')).toEqual({ packed: 0, exact: 7 });
    expect(vectorShape(plan(), 'evaluate')).toEqual({ packed: 0, exact: 2 });
    expect(vectorShape(plan(), 'confirm')).toEqual({ packed: 3000, exact: 4 });
  });
});

describe('exact integers', () => {
  it('keep a sum of sites to half a unit each', () => {
    const site = fc.record({
      holdoutCount: fc.integer({ min: 0, max: 100_000 }),
      holdoutSumSquaredError: fc.double({ min: 0, max: 1e6, noNaN: true }),
    });
    fc.assert(
      fc.property(fc.array(site, { minLength: 1, maxLength: 16 }), (sites) => {
        const encoded = sites.map((values) => encodeExact(plan(), 'evaluate', values));
        const sums = [0, 1].map((index) => encoded.reduce((total, exact) => total + exact[index]!, 0n));
        const opened = decodeExact(plan(), 'evaluate', sums);
        expect(opened['holdoutCount']).toBe(sites.reduce((total, values) => total + values.holdoutCount, 0));
        const error = sites.reduce((total, values) => total + values.holdoutSumSquaredError, 0);
        expect(Math.abs(opened['holdoutSumSquaredError']! - error)).toBeLessThanOrEqual((sites.length * 0.5) / 2 ** 16 + error * 1e-12);
      }),
      { numRuns: 100 },
    );
  });

  it('stay below 2^48 when an error has exploded', () => {
    const values = { holdoutCount: 3, holdoutSumSquaredError: Infinity };
    expect(encodeExact(plan(), 'evaluate', values)).toEqual([3n, 2n ** 48n - 1n]);
  });
});

describe('a confirmation vector', () => {
  it('is fixed by epoch and site and fits its bits', () => {
    const vector = confirmVector(E, 'a', 12);
    expect(confirmVector(E, 'a', 12)).toEqual(vector);
    expect(confirmVector(E, 'b', 12)).not.toEqual(vector);
    expect(confirmVector('f'.repeat(64), 'a', 12)).not.toEqual(vector);
    expect(vector.packed).toHaveLength(3000);
    const largest = vector.packed.reduce((most, value) => Math.max(most, value), 0);
    expect(largest).toBeGreaterThan(4000);
    expect(largest).toBeLessThan(4096);
    expect(vector.exact).toHaveLength(4);
    expect(vector.exact.every((value) => value >= 0n && value < 2n ** 48n)).toBe(true);
  });
});
