import { InvalidArgumentError } from 'commander';
import { describe, expect, it } from 'vitest';
import { parseInstant } from './time.options.js';

describe('a time to start at', () => {
  it.each([
    '',
    'tomorrow',
    '22:00',
    '2026-12-01',
    '2026-12-01T22:00',
    '2026-12-01 22:00+01:00',
    '2026-12-01T22:00+1',
    '2026-02-30T22:00+01:00',
    '2026-02-29T00:00Z',
    '2026-13-01T22:00Z',
    '2026-12-01T24:00Z',
    '2026-12-01T25:00Z',
    '2026-12-01T22:60Z',
    '2026-12-01T22:00:61Z',
    '2026-12-01T22:00+99:00',
    '1796162400000',
    '2026-12-01T22:00Z; rm',
  ])('that says no one instant is refused with the form: %j', (text) => {
    expect(() => parseInstant(text)).toThrow(InvalidArgumentError);
    expect(() => parseInstant(text)).toThrow(/offset from UTC, such as 2026-12-01T22:00\+01:00/);
  });

  it('is the same instant from every offset', () => {
    const instant = Date.UTC(2026, 11, 1, 21);
    for (const text of ['2026-12-01T22:00+01:00', '2026-12-01T21:00Z', '2026-12-01T21:00:00Z', '2026-12-02T02:30+05:30'])
      expect(parseInstant(text)).toBe(instant);
    expect(parseInstant('2028-02-29T00:00Z')).toBe(Date.UTC(2028, 1, 29));
  });
});
