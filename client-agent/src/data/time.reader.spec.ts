import { describe, expect, it } from 'vitest';
import { readTime } from './time.reader.js';

const vienna = { column: 't', format: 'local', zone: 'Europe/Vienna', pattern: 'dd.MM.yyyy HH:mm' } as const;
const place = { file: 'a.csv', line: 7, column: 't' };
const instant = (text: string) => ({ kind: 'instant', ms: Date.parse(text) });

describe('a time cell', () => {
  it.each([
    ['', { column: 't', format: 'hours', since: 'batch-start' }, 'malformed-time'],
    ['noon', { column: 't', format: 'hours', since: 'batch-start' }, 'malformed-number'],
    ['2026-13-01T00:00:00Z', { column: 't', format: 'iso' }, 'malformed-time'],
    ['12:30', { column: 't', format: 'iso', zone: 'UTC' }, 'malformed-time'],
    ['2026-03-01T08:30:00', { column: 't', format: 'iso' }, 'malformed-time'],
    ['2026-03-01 08:30', vienna, 'malformed-time'],
    ['30.02.2026 08:30', vienna, 'malformed-time'],
    ['29.03.2026 02:30', vienna, 'nonexistent-time'],
    ['12.5', { column: 't', format: 'excel-serial' }, 'malformed-time'],
    ['1e9', { column: 't', format: 'excel-serial' }, 'malformed-time'],
  ] as const)('%j is refused where it does not fit', (text, format, code) => {
    expect(() => readTime(text, format, '.', place)).toThrow(
      expect.objectContaining({ code, message: expect.stringContaining("a.csv, line 7, column 't'") }),
    );
  });

  it('is an instant when it has an offset, whatever zone is declared', () => {
    expect(readTime('2026-03-01T08:30:00+01:00', { column: 't', format: 'iso', zone: 'Asia/Tokyo' }, '.', place)).toEqual(
      instant('2026-03-01T07:30:00Z'),
    );
  });

  it('takes the offset of its zone in winter and summer', () => {
    expect(readTime('01.03.2026 08:30', vienna, '.', place)).toEqual(instant('2026-03-01T07:30:00Z'));
    expect(readTime('01.07.2026 08:30', vienna, '.', place)).toEqual(instant('2026-07-01T06:30:00Z'));
  });

  it('is marked with both meanings in the hour that daylight saving repeats', () => {
    expect(readTime('25.10.2026 02:30', vienna, '.', place)).toMatchObject({
      repeated: {
        zone: 'Europe/Vienna',
        meanings: ['2026-10-25T00:30:00.000Z', '2026-10-25T01:30:00.000Z'],
      },
    });
  });

  it('is a day of the 1900 calendar when Excel wrote it', () => {
    expect(readTime('45356.411770833336', { column: 't', format: 'excel-serial' }, '.', place)).toEqual(
      instant('2024-03-05T09:52:57.000Z'),
    );
    expect(readTime('45356,5', { column: 't', format: 'excel-serial', zone: 'Europe/Vienna' }, ',', place)).toEqual(
      instant('2024-03-05T11:00:00Z'),
    );
  });

  it('counts minutes as hours', () => {
    expect(readTime('90', { column: 't', format: 'minutes', since: 'induction' }, '.', place)).toEqual({
      kind: 'elapsed',
      hours: 1.5,
      since: 'induction',
    });
  });
});
