import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parsePlan } from '../plan/index.js';
import { initialRanges, nextRanges, rangesDigest } from './index.js';

const plan = (training: object = {}) =>
  parsePlan({
    schema: 1,
    plan: 'p',
    sample: { of: ['ph'], summarise: ['last', 'mean'] },
    target: { variable: 'product_concentration' },
    normalisation: 'none',
    model: { kind: 'linear' },
    training,
  });

describe('ranges that cannot be', () => {
  const sum = { values: new Float64Array(3), addends: 3 };
  it.each([[[1]], [[1, 0]], [[1, -1]], [[1, NaN]], [[1, Infinity]]])('are refused: %j', (perTensor) => {
    expect(() => nextRanges(plan(), { perTensor, floor: 1e-9 }, sum)).toThrow(/range/);
  });

  it('and so is a sum of another length', () => {
    expect(() => nextRanges(plan(), { perTensor: [1, 1], floor: 1e-9 }, { ...sum, values: new Float64Array(2) })).toThrow(
      /3 values, not 2/,
    );
  });
});

describe('the first ranges', () => {
  it('are learning rate × local steps of the largest site', () => {
    const training = { learningRate: 0.5, epochs: 3, batchSize: 10 };
    // 60 rows over 3 sites: the row cap is 64, so 7 batches an epoch.
    expect(initialRanges(plan(training), { exact: [60n], addends: 3 })).toEqual({ perTensor: [10.5, 10.5], floor: 10.5 / 16 });
  });

  it('are the plan’s own where it names one', () => {
    expect(initialRanges(plan({ initialRange: 0.25 }), { exact: [60n], addends: 3 })).toEqual({
      perTensor: [0.25, 0.25],
      floor: 0.25 / 16,
    });
  });
});

describe('the next ranges', () => {
  it('follow each tensor’s largest mean update, eightfold', () => {
    const sum = { values: Float64Array.of(0.3, -0.6, 0.03), addends: 4 };
    const { perTensor } = nextRanges(plan(), { perTensor: [1, 0.1], floor: 1e-9 }, sum);
    expect(perTensor[0]).toBeCloseTo(1.2, 12);
    expect(perTensor[1]).toBeCloseTo(0.06, 12);
  });

  it('at most double, at least a quarter, never below 1e-9', () => {
    const range = fc.double({ min: 1e-9, max: 1e6, noNaN: true });
    const value = fc.double({ min: -1e9, max: 1e9, noNaN: true });
    fc.assert(
      fc.property(fc.tuple(range, range), fc.tuple(value, value, value), fc.integer({ min: 1, max: 128 }), (before, values, addends) => {
        const { perTensor } = nextRanges(plan(), { perTensor: before, floor: 1e-9 }, { values: Float64Array.from(values), addends });
        perTensor.forEach((after, index) => {
          expect(after).toBeLessThanOrEqual(before[index]! * 2);
          expect(after).toBeGreaterThanOrEqual(Math.max(before[index]! / 4, 1e-9));
        });
      }),
    );
  });

  it('stop falling at a sixteenth of the first, however small the mean is', () => {
    const still = { values: new Float64Array(3), addends: 4 };
    let ranges = initialRanges(plan({ initialRange: 1 }), { exact: [60n], addends: 3 });
    for (let round = 0; round < 5; round++) ranges = nextRanges(plan(), ranges, still);
    expect(ranges).toEqual({ perTensor: [1 / 16, 1 / 16], floor: 1 / 16 });
  });

  it('have a name that tells them apart', () => {
    const names = [
      [1, 2],
      [2, 1],
      [1, 2, 3],
      [1, 2.0000000000000004],
    ].map((perTensor) => rangesDigest({ perTensor, floor: 1 }));
    expect(new Set(names).size).toBe(4);
    expect(rangesDigest({ perTensor: [1, 2], floor: 1 })).toBe(names[0]);
  });
});
