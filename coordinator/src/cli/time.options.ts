import { DURATION_FORM, parseDuration } from '@coferment/consortium';
import { InvalidArgumentError } from 'commander';

/** Milliseconds of "7 d". @throws InvalidArgumentError */
export function parseTime(text: string): number {
  const ms = parseDuration(text);
  if (ms === undefined) throw new InvalidArgumentError(`It ${DURATION_FORM}.`);
  return ms;
}

const INSTANT = /^(\d{4})-(\d{2})-(\d{2})T(\d{2}):(\d{2})(?::(\d{2}))?(Z|[+-]\d{2}:\d{2})$/;
const INSTANT_FORM = 'must be a date and time with its offset from UTC, such as 2026-12-01T22:00+01:00 or 2026-12-01T21:00Z';

/**
 * Milliseconds since 1970 of an RFC 3339 instant, seconds optional. The offset is not: the server's zone is rarely that of the people who agreed on the time.
 * @throws InvalidArgumentError also for a day or an hour that does not exist, which the Date of the language would carry over into the next
 */
export function parseInstant(text: string): number {
  const match = INSTANT.exec(text);
  const ms = match === null ? Number.NaN : Date.parse(text);
  if (match === null || Number.isNaN(ms)) throw new InvalidArgumentError(`It ${INSTANT_FORM}.`);
  const [year, month, day, hour, minute] = match.slice(1, 6).map(Number) as [number, number, number, number, number];
  const local = new Date(Date.UTC(year, month - 1, day, hour, minute));
  if (local.getUTCMonth() !== month - 1 || local.getUTCDate() !== day || local.getUTCHours() !== hour)
    throw new InvalidArgumentError(`There is no ${text.slice(0, 16).replace('T', ' ')}. It ${INSTANT_FORM}.`);
  return ms;
}
