import { DateTime, IANAZone } from 'luxon';
import { DataError, type DataPlace } from './data.error.js';
import type { MappingClock, MappingTime } from './mapping.schema.js';
import { readNumber } from './number.reader.js';

/** One time cell: an instant, or hours counted from the batch start or a phase. */
export type TimeReading =
  | { readonly kind: 'instant'; readonly ms: number; readonly repeated?: RepeatedHour }
  | { readonly kind: 'elapsed'; readonly hours: number; readonly since: Extract<MappingTime, { since: string }>['since'] };

/** A local time that the clock showed twice, because daylight saving ended: the two instants it can mean, and what the clock said. */
export interface RepeatedHour {
  readonly localMs: number;
  readonly zone: string;
  readonly meanings: readonly [string, string];
}

/** Luxon also accepts '12:30' (today) and '2025': a batch record needs its whole date. */
const ISO_DATE = /^\d{4}-\d{2}-\d{2}(?:[T ]\d{2}.*)?$/;
const MS_PER_DAY = 86_400_000;
/** Day 0 of Excel's 1900 calendar, as it counts from 1 March 1900 on; earlier serials fall before the leap day that Excel invented. */
const EXCEL_EPOCH_MS = Date.UTC(1899, 11, 30);
const EXCEL_FIRST_SOUND_DAY = 61;
const EXCEL_LAST_DAY = 2_958_465;

/**
 * Reads one cell of a time column.
 * @param decimal decimal mark of the file, for the numeric formats
 * @throws DataError 'malformed-time' | 'nonexistent-time'; a repeated local hour is returned marked, because the error has to name both rows
 */
export function readTime(cell: string, format: MappingTime | MappingClock, decimal: '.' | ',', place: DataPlace): TimeReading {
  const text = cell.trim();
  if (text === '')
    throw new DataError('malformed-time', 'the time is empty. Every row needs its time; remove the row or fill it in.', place);
  switch (format.format) {
    case 'iso':
      return readIso(text, format.zone, place);
    case 'local':
      return inZone(naive(text, format.pattern, place), format.zone, text, place);
    case 'excel-serial':
      return readExcelSerial(text, format.zone, decimal, place);
    case 'hours':
      return { kind: 'elapsed', hours: timeNumber(text, decimal, place), since: format.since };
    case 'minutes':
      return { kind: 'elapsed', hours: timeNumber(text, decimal, place) / 60, since: format.since };
  }
}

/** @throws DataError 'invalid-mapping' */
export function checkZone(zone: string, place: DataPlace): void {
  if (!IANAZone.isValidZone(zone)) {
    throw new DataError(
      'invalid-mapping',
      `'${zone}' is not a time zone. Write it as in the IANA list, for example 'Europe/Vienna' or 'UTC'.`,
      place,
    );
  }
}

function readIso(text: string, zone: string | undefined, place: DataPlace): TimeReading {
  const hasOffset = /(?:[Zz]|[+-]\d{2}(?::?\d{2})?)$/.test(text.split(/[T ]/)[1] ?? '');
  const parsed = DateTime.fromISO(text.replace(' ', 'T'), { zone: 'utc' });
  if (!parsed.isValid || !ISO_DATE.test(text)) {
    throw new DataError(
      'malformed-time',
      `'${text}' is not an ISO 8601 time. Write it as 2026-03-01T08:30:00+01:00, or set format: local with a pattern.`,
      place,
    );
  }
  if (hasOffset) return { kind: 'instant', ms: parsed.toMillis() };
  if (zone === undefined) {
    throw new DataError(
      'malformed-time',
      `'${text}' carries no offset from UTC. Add the zone of the plant's clock to this time column (zone: Europe/Vienna).`,
      place,
    );
  }
  return inZone(parsed, zone, text, place);
}

function naive(text: string, pattern: string, place: DataPlace): DateTime {
  const parsed = DateTime.fromFormat(text, pattern, { zone: 'utc', locale: 'en' });
  if (!parsed.isValid) {
    const why = parsed.invalidExplanation === null ? '' : ` (${parsed.invalidExplanation})`;
    throw new DataError(
      'malformed-time',
      `'${text}' does not read as '${pattern}'${why}. Correct the pattern of this time column or the cell.`,
      place,
    );
  }
  return parsed;
}

function readExcelSerial(text: string, zone: string | undefined, decimal: '.' | ',', place: DataPlace): TimeReading {
  const serial = timeNumber(text, decimal, place);
  if (serial < EXCEL_FIRST_SOUND_DAY || serial > EXCEL_LAST_DAY) {
    throw new DataError(
      'malformed-time',
      `${serial} is not a usable Excel serial day (${EXCEL_FIRST_SOUND_DAY} to ${EXCEL_LAST_DAY}). If it counts hours, set format: hours.`,
      place,
    );
  }
  const ms = EXCEL_EPOCH_MS + Math.round(serial * MS_PER_DAY);
  return zone === undefined ? { kind: 'instant', ms } : inZone(DateTime.fromMillis(ms, { zone: 'utc' }), zone, text, place);
}

function timeNumber(text: string, decimal: '.' | ',', place: DataPlace): number {
  const value = readNumber(text, decimal, [], place);
  if (value === undefined) throw new DataError('malformed-time', 'the time is empty.', place);
  return value;
}

/** Gives a wall-clock time its zone. Luxon would shift a time that the clock skipped and choose one of two that it repeated: both are found here instead. */
function inZone(wall: DateTime, zone: string, text: string, place: DataPlace): TimeReading {
  const zoned = wall.setZone(zone, { keepLocalTime: true });
  if (zoned.hour !== wall.hour || zoned.minute !== wall.minute || zoned.day !== wall.day) {
    throw new DataError(
      'nonexistent-time',
      `'${text}' never happened in ${zone}: the clock went forward over it. Correct the time, the zone, or export in UTC.`,
      place,
    );
  }
  const [first, second] = zoned.getPossibleOffsets();
  if (first === undefined || second === undefined) return { kind: 'instant', ms: zoned.toMillis() };
  const meanings = [first.toUTC().toISO() ?? '', second.toUTC().toISO() ?? ''] as const;
  return { kind: 'instant', ms: zoned.toMillis(), repeated: { localMs: wall.toMillis(), zone, meanings } };
}
