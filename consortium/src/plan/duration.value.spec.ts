import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatDuration, parseDuration } from './index.js';

describe('a length of time', () => {
  it.each(['', '1', 'h', '1h 2min', '-1 h', '0 s', '1 hour', '1e3 s', '1  h', ' 1 h', '0.1 ms', '4000 d', 'Infinity h'])(
    'refuses %j',
    (text) => {
      expect(parseDuration(text)).toBeUndefined();
    },
  );

  it.each([
    ['10 min', 600_000],
    ['1 h', 3_600_000],
    ['1h', 3_600_000],
    ['30 d', 2_592_000_000],
    ['0.5 s', 500],
    ['250 ms', 250],
  ])('reads %j', (text, ms) => {
    expect(parseDuration(text)).toBe(ms);
  });

  it('has one spelling, which reads back to the same', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 315_360_000_000 }), (ms) => {
        fc.pre(ms < 1e9 || ms % 1000 === 0);
        expect(parseDuration(formatDuration(ms))).toBe(ms);
      }),
    );
    expect(formatDuration(5_400_000)).toBe('90 min');
  });
});
