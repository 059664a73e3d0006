import { describe, expect, it } from 'vitest';
import { interpolate, summarise } from './series.window.js';

const series = { timeH: Float64Array.of(0, 1, 2, 4), value: Float64Array.of(10, 20, 40, 70) };

describe('a window that ends at an hour and is open at its beginning', () => {
  it('takes the last record, the mean and the least-squares slope of what lies in it', () => {
    // (0, 2] holds the records at 1 h and 2 h.
    expect(summarise(series, 2, 2, 'last')).toBe(40);
    expect(summarise(series, 2, 2, 'mean')).toBe(30);
    expect(summarise(series, 2, 2, 'slope')).toBe(20);
    // (0, 4] holds 1, 2 and 4 h: mean time 7/3, mean value 130/3, covariance 690/9, variance 42/9.
    expect(summarise(series, 4, 4, 'mean')).toBeCloseTo(130 / 3, 12);
    expect(summarise(series, 4, 4, 'slope')).toBeCloseTo(115 / 7, 12);
  });

  it('holds its end, not its beginning', () => {
    expect(summarise(series, 1, 1, 'mean')).toBe(20);
  });

  it('is missing without a record, and a slope without two', () => {
    expect(summarise(series, 3.9, 1, 'last')).toBeUndefined();
    expect(summarise(series, 1, 1, 'slope')).toBeUndefined();
  });

  it('does not lose a record to the rounding of a clock', () => {
    const clock = { timeH: Float64Array.of(0.1 + 0.2), value: Float64Array.of(5) };
    expect(summarise(clock, 0.3, 0.2, 'last')).toBe(5);
  });
});

describe('interpolation between records', () => {
  it.each([
    [0, 10],
    [0.5, 15],
    [3, 55],
    [4, 70],
  ])('at %d h gives %d', (atH, expected) => expect(interpolate(series, atH)).toBe(expected));

  it.each([-0.5, 4.5])('does not extrapolate to %d h', (atH) => expect(interpolate(series, atH)).toBeUndefined());
});
