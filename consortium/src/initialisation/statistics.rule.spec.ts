import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { encodeExact } from '../model-vector/index.js';
import { parsePlan, type Plan } from '../plan/index.js';
import { normalisationFromStatistics, rowCapFrom, type StatisticsSum, weightCapFrom } from './index.js';

const plan = (extra: object = {}) =>
  parsePlan({
    schema: 1,
    plan: 'p',
    sample: { of: ['ph'], summarise: ['last'], ranges: { product_concentration: [0, 20] } },
    target: { variable: 'product_concentration' },
    model: { kind: 'linear' },
    ...extra,
  });

type Row = readonly [ph: number, product: number];
/** The statistics sum as the sites and their encryption would make it. */
function sumOf(of: Plan, sites: readonly (readonly Row[])[]): StatisticsSum {
  const encoded = sites.map((rows) => {
    const total = (value: (row: Row) => number) => rows.reduce((sum, row) => sum + value(row), 0);
    const columns = {
      'sum:ph.last': total(([ph]) => ph / 14),
      'sumSquares:ph.last': total(([ph]) => (ph / 14) ** 2),
      'sum:target': total(([, product]) => product / 20),
      'sumSquares:target': total(([, product]) => (product / 20) ** 2),
    };
    return encodeExact(of, 'statistics', { count: rows.length, ...(of.normalisation === 'federated' ? columns : {}) });
  });
  return { addends: sites.length, exact: encoded[0]!.map((_, index) => encoded.reduce((sum, exact) => sum + exact[index]!, 0n)) };
}
const spread = (values: readonly number[]) => {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  return { mean, std: Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length) };
};

describe('sums that are those of no data', () => {
  it.each([
    [{ exact: [1n, 1n], addends: 3 }, /5 exact integers, not 2/],
    [{ exact: [2n, 0n, 0n, 0n, 0n], addends: 3 }, /2 rows over 3 sites/],
    [{ exact: [0n, 0n, 0n, 0n, 0n], addends: 0 }, /0 rows over 0 sites/],
    [{ exact: [3n, 2n ** 40n, 0n, 0n, 0n], addends: 3 }, /statistics of "ph.last"/],
    [{ exact: [3n, 0n, 0n, 2n ** 23n, 2n ** 30n], addends: 3 }, /statistics of "target"/],
  ])('are refused (%#)', (sum, message) => {
    expect(() => normalisationFromStatistics(plan(), sum)).toThrow(message);
  });
});

describe('federated normalisation', () => {
  it('is what the pooled rows would give', () => {
    const row = fc.tuple(fc.double({ min: 4, max: 9, noNaN: true }), fc.double({ min: 0, max: 20, noNaN: true }));
    const site = fc.array(row, { minLength: 20, maxLength: 60 });
    fc.assert(
      fc.property(fc.array(site, { minLength: 3, maxLength: 8 }), (sites) => {
        const rows = sites.flat();
        const result = normalisationFromStatistics(plan(), sumOf(plan(), sites));
        const ph = spread(rows.map(([value]) => value));
        const product = spread(rows.map(([, value]) => value));
        fc.pre(ph.std > 0.05 && product.std > 0.05);
        expect(result.count).toBe(rows.length);
        expect(result.mean[0]).toBeCloseTo(ph.mean, 5);
        expect(result.std[0]! / ph.std).toBeCloseTo(1, 2);
        expect(result.targetMean).toBeCloseTo(product.mean, 5);
        expect(result.targetStd / product.std).toBeCloseTo(1, 2);
      }),
      { numRuns: 50 },
    );
  });

  it('gives a constant column std 1, whatever its rounding', () => {
    fc.assert(
      fc.property(fc.double({ min: 0, max: 14, noNaN: true }), fc.integer({ min: 1, max: 30 }), (ph, rows) => {
        const site = Array.from({ length: rows }, (_, index): Row => [ph, index % 20]);
        const { mean, std } = normalisationFromStatistics(plan(), sumOf(plan(), [site, site, site]));
        expect(std).toEqual([1]);
        expect(mean[0]).toBeCloseTo(ph, 5);
      }),
    );
  });

  it('changes nothing when the plan has none', () => {
    const none = plan({ normalisation: 'none' });
    expect(normalisationFromStatistics(none, sumOf(none, [[[7, 1]], [[8, 2]]]))).toEqual({
      count: 2,
      mean: [0],
      std: [1],
      targetMean: 0,
      targetStd: 1,
    });
  });
});

describe('the weight cap', () => {
  const none = plan({ normalisation: 'none' });
  it.each([
    [3n, 3, 4],
    [30n, 3, 32],
    [48n, 3, 64],
    [63n, 3, 64],
    [4040n, 2, 4096],
  ])('for %d rows over %d sites is %d, the power of two above twice the mean', (count, addends, cap) => {
    expect(rowCapFrom(none, { exact: [count], addends })).toBe(cap);
    expect(weightCapFrom(none, { exact: [count], addends })).toBe(cap);
  });

  it('is 1 for equal weights and the plan’s own where it names one', () => {
    const sum = { exact: [300n], addends: 3 };
    expect(weightCapFrom(plan({ normalisation: 'none', weighting: { by: 'equal' } }), sum)).toBe(1);
    expect(weightCapFrom(plan({ normalisation: 'none', weighting: { cap: 100 } }), sum)).toBe(100);
  });
});
