import { xof } from '@coferment/crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parsePlan } from '../plan/index.js';
import { dequantiseSum, quantiseUpdate } from './index.js';

const plan = parsePlan({
  schema: 1,
  plan: 'p',
  sample: { of: ['ph'], summarise: ['last', 'mean'] },
  target: { variable: 'product_concentration' },
  model: { kind: 'linear' },
});
const ranges = { perTensor: [0.5, 2], floor: 1e-9 };
const update = (extra: object = {}) => ({
  plan,
  ranges,
  delta: new Float64Array(3),
  weight: 1,
  weightCap: 1,
  valueBits: 15,
  seed: xof('rounding', 1),
  ...extra,
});

describe('an update that cannot be quantised', () => {
  it.each([
    [{ delta: new Float64Array(2) }, /3 values, not 2/],
    [{ delta: Float64Array.of(0, NaN, 0) }, /value 1 of the update is NaN: training diverged/],
    [{ delta: Float64Array.of(0, 0, -Infinity) }, /value 2/],
    [{ weight: 0 }, /weight of 0/],
    [{ weight: 2 }, /weight of 2 .* cap of 1/],
    [{ weight: NaN }, /weight of NaN/],
    [{ valueBits: 1 }, /1 value bits/],
    [{ valueBits: 33 }, /33 value bits/],
    [{ ranges: { perTensor: [1], floor: 1e-9 } }, /2 ranges/],
  ])('is refused (%#)', (extra, message) => {
    expect(() => quantiseUpdate(update(extra))).toThrow(message);
  });
});

describe('a sum that cannot be', () => {
  const sum = (packed: number[], addends = 2) => ({ plan, ranges, valueBits: 4, packed: Float64Array.from(packed), addends });
  it.each([
    [sum([1, 16, 16]), /value 0 of the sum is 1; 2 sites can only give from 2 to 30/],
    [sum([16, 16, 31]), /value 2 of the sum is 31/],
    [sum([16, 16]), /3 values, not 2/],
    [sum([16, 16, 16], 0), /over 0 sites/],
    [sum([16, NaN, 16]), /value 1/],
  ])('is refused (%#)', (bad, message) => {
    expect(() => dequantiseSum(bad)).toThrow(message);
  });
});

describe('a quantised update', () => {
  it('carries zero and the ends of the range exactly', () => {
    const { packed, saturated } = quantiseUpdate(update({ delta: Float64Array.of(0, 0.5, -2), valueBits: 4 }));
    expect([...packed]).toEqual([8, 15, 1]);
    expect(saturated).toBe(0);
    expect([...dequantiseSum({ plan, ranges, valueBits: 4, packed: Float64Array.from(packed), addends: 1 })]).toEqual([0, 0.5, -2]);
  });

  it('counts what is beyond its range and holds it at the end', () => {
    const { packed, saturated } = quantiseUpdate(update({ delta: Float64Array.of(0.6, -9, 2.5), valueBits: 4 }));
    expect([...packed]).toEqual([15, 1, 15]);
    expect(saturated).toBe(3);
  });

  it('is the same for the same stream and unbiased over streams', () => {
    const delta = Float64Array.of(0.1, -0.123, 1.7);
    expect(quantiseUpdate(update({ delta })).packed).toEqual(quantiseUpdate(update({ delta })).packed);
    const runs = 4000;
    const mean = new Float64Array(3);
    for (let run = 0; run < runs; run++) {
      const { packed } = quantiseUpdate(update({ delta, valueBits: 4, seed: xof('rounding', run) }));
      packed.forEach((value, index) => (mean[index]! += (value - 8) / runs));
    }
    // One step is 1; the mean of 4000 roundings is off by at most 0.5 / √4000 (one σ), here five of them.
    [(0.1 / 0.5) * 7, (-0.123 / 0.5) * 7, (1.7 / 2) * 7].forEach((exact, index) =>
      expect(Math.abs(mean[index]! - exact)).toBeLessThan(0.04),
    );
  });

  it('gives a sum that is off by less than one step a site', () => {
    const value = fc.double({ min: -0.5, max: 0.5, noNaN: true });
    const site = fc.record({ delta: fc.tuple(value, value, value), weight: fc.integer({ min: 1, max: 64 }), seed: fc.nat() });
    fc.assert(
      fc.property(fc.array(site, { minLength: 1, maxLength: 16 }), fc.integer({ min: 4, max: 32 }), (sites, valueBits) => {
        const packed = new Float64Array(3);
        const exact = [0, 0, 0];
        for (const { delta, weight, seed } of sites) {
          const one = quantiseUpdate(
            update({ delta: Float64Array.from(delta), weight, weightCap: 64, valueBits, seed: xof('rounding', seed) }),
          );
          expect(one.saturated).toBe(0);
          one.packed.forEach((integer, index) => (packed[index]! += integer));
          delta.forEach((part, index) => (exact[index]! += (part * weight) / 64));
        }
        const opened = dequantiseSum({ plan, ranges, valueBits, packed, addends: sites.length });
        exact.forEach((sum, index) => {
          const step = ranges.perTensor[index < 2 ? 0 : 1]! / (2 ** (valueBits - 1) - 1);
          expect(Math.abs(opened[index]! - sum)).toBeLessThanOrEqual(sites.length * step + 1e-12);
        });
      }),
      { numRuns: 100 },
    );
  });
});
