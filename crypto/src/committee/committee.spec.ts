import { describe, expect, it } from 'vitest';
import { committeeConstants } from './committee.constants.js';
import { combinationScale, lagrangeAtZero, parityWeights, subsetsOf } from './lagrange.rational.js';

describe('impossible committees', () => {
  it.each([
    [3, 1],
    [3, 4],
    [13, 9],
    [2.5, 2],
    [Number.NaN, 2],
  ])('refuses %d holders with threshold %d', (m, threshold) => {
    expect(() => committeeConstants(m, threshold)).toThrow(expect.objectContaining({ code: 'bad-committee' }));
  });

  it('refuses a subset with a stranger, a repetition or nobody', () => {
    const { points } = committeeConstants(5, 4);
    for (const subset of [[0, 5], [1, 1], [], [-1]]) {
      expect(() => lagrangeAtZero(points, subset)).toThrow(expect.objectContaining({ code: 'bad-committee' }));
    }
  });
});

describe('committee constants', () => {
  it.each([
    [3, 2, 2n, 2.58, 3n, 1.58, 1.0],
    [3, 3, 1n, 1.58, 3n, 2.32, 2.32],
    [4, 3, 4n, 4.58, 6n, 3.58, 2.32],
    [5, 3, 12n, 6.91, 10n, 4.7, 2.0],
    [5, 4, 6n, 6.91, 20n, 5.32, 3.32],
    [6, 5, 9n, 8.49, 40n, 6.49, 4.46],
    [7, 4, 144n, 12.66, 70n, 8.3, 3.32],
    [7, 5, 72n, 12.88, 140n, 8.31, 3.91],
    [9, 7, 720n, 19.05, 1134n, 11.28, 5.39],
    [10, 7, 3600n, 21.79, 3024n, 12.97, 5.39],
    [12, 7, 518400n, 30.16, 29568n, 16.4, 5.39],
    [12, 9, 129600n, 30.16, 13860n, 15.78, 7.71],
    [12, 12, 30n, 14.76, 924n, 11.63, 11.63],
  ])('are the known ones for (%i, %i)', (m, threshold, L1, drown, worstL2, worst, best) => {
    const constants = committeeConstants(m, threshold);
    expect([constants.L1, constants.worstL2]).toEqual([L1, worstL2]);
    expect(Math.log2(Number(constants.maxDrown))).toBeCloseTo(drown, 1.9);
    expect(Math.log2(Number(constants.worstDecode))).toBeCloseTo(worst, 1.9);
    expect(Math.log2(Number(constants.bestDecode))).toBeCloseTo(best, 1.9);
  });

  it('have points 1, −1, 2, −2, …', () => {
    expect(committeeConstants(7, 5).points).toEqual([1, -1, 2, -2, 3, -3, 4]);
  });

  it('recover f(0) from every τ-subset and cancel f in every parity relation', () => {
    const { points, threshold } = committeeConstants(7, 5);
    const f = (x: number): bigint => [12345n, -7n, 3n, 11n, -2n].reduceRight((value, coefficient) => value * BigInt(x) + coefficient, 0n);
    for (const subset of subsetsOf(7, threshold)) {
      const scale = combinationScale(points, subset);
      const value = lagrangeAtZero(points, subset).reduce(
        (sum, { numerator, denominator }, index) => sum + (scale / denominator) * numerator * f(points[subset[index]!]!),
        0n,
      );
      expect(value).toBe(scale * 12345n);
    }
    for (const subset of subsetsOf(7, threshold + 1)) {
      const weights = parityWeights(points, subset);
      expect(weights.reduce((sum, weight, index) => sum + weight * f(points[subset[index]!]!), 0n)).toBe(0n);
    }
  });
});
