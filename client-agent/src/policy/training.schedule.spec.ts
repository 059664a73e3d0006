import { describe, expect, it } from 'vitest';
import type { TrainingSchedule } from './policy.schema.js';
import { isTrainingTime, localTimeText, nextTrainingMs } from './training.schedule.js';

const schedule = (from: string, to: string, timeZone = 'Europe/Vienna'): TrainingSchedule => ({ trainBetween: [from, to], timeZone });
const night = schedule('20:00', '06:00');
const at = (instant: string) => Date.parse(instant);
const next = (window: TrainingSchedule, instant: string) => new Date(nextTrainingMs(window, at(instant))).toISOString();

describe('the hours of a site', () => {
  it.each([
    ['2026-11-29T19:59:59+01:00', false],
    ['2026-11-29T20:00:00+01:00', true],
    ['2026-11-29T23:59:59+01:00', true],
    ['2026-11-30T00:00:00+01:00', true],
    ['2026-11-30T05:59:59+01:00', true],
    ['2026-11-30T06:00:00+01:00', false],
  ])('go over midnight: %s', (instant, open) => {
    expect(isTrainingTime(night, at(instant))).toBe(open);
  });

  it.each([
    ['2026-11-29T11:59:00Z', false],
    ['2026-11-29T12:00:00Z', true],
    ['2026-11-29T13:29:59Z', true],
    ['2026-11-29T13:30:00Z', false],
    ['2026-11-29T00:00:00Z', false],
  ])('or lie within a day: %s', (instant, open) => {
    expect(isTrainingTime(schedule('12:00', '13:30', 'UTC'), at(instant))).toBe(open);
  });

  it('are those of its own zone', () => {
    const instant = at('2026-11-29T20:30:00Z');
    expect(
      ['Europe/Vienna', 'America/New_York', 'Asia/Kolkata'].map((zone) => isTrainingTime(schedule('20:00', '22:00', zone), instant)),
    ).toEqual([true, false, false]);
    expect(localTimeText(schedule('20:00', '22:00', 'Asia/Kolkata'), instant)).toBe('2026-11-30 02:00 (Asia/Kolkata)');
  });
});

describe('when training may begin', () => {
  it('is now within the hours, and else their next beginning', () => {
    expect(next(night, '2026-11-29T22:15:30Z')).toBe('2026-11-29T22:15:30.000Z');
    expect(next(night, '2026-11-29T10:15:30Z')).toBe('2026-11-29T19:00:00.000Z');
    expect(next(schedule('12:00', '13:00', 'UTC'), '2026-12-31T13:00:00Z')).toBe('2027-01-01T12:00:00.000Z');
  });

  // In Vienna, 29 March 2026 has no 02:00 to 03:00, and 25 October has it twice.
  it.each([
    ['a beginning that the clock skips', schedule('02:30', '04:00'), '2026-03-29T00:00:00Z', '2026-03-29T01:00:00.000Z'],
    ['hours that it skips altogether', schedule('02:15', '02:45'), '2026-03-28T23:00:00Z', '2026-03-30T00:15:00.000Z'],
    ['a morning after it was set forward', schedule('05:00', '07:00'), '2026-03-28T23:00:00Z', '2026-03-29T03:00:00.000Z'],
    ['a morning after it was set back', schedule('05:00', '07:00'), '2026-10-24T23:00:00Z', '2026-10-25T04:00:00.000Z'],
    ['a beginning that it shows twice', schedule('02:30', '02:45'), '2026-10-24T23:00:00Z', '2026-10-25T00:30:00.000Z'],
    ['the second time that it shows it', schedule('02:30', '02:45'), '2026-10-25T00:50:00Z', '2026-10-25T01:30:00.000Z'],
  ])('follows the clock on the wall: %s', (_, window, from, expected) => {
    expect(next(window, from)).toBe(expected);
  });

  it('is the first minute at which the hours hold, on every quarter of an hour of a year in zones that set their clocks', () => {
    for (const [window, zone] of [
      [schedule('20:00', '06:00'), 'Europe/Vienna'],
      [schedule('02:10', '03:05'), 'America/St_Johns'],
      [schedule('23:50', '00:10'), 'Australia/Lord_Howe'],
    ] as const) {
      const zoned = { ...window, timeZone: zone };
      for (let ms = at('2026-01-01T00:00:00Z'); ms < at('2027-01-01T00:00:00Z'); ms += 41 * 3_600_000 + 900_000) {
        const openMs = nextTrainingMs(zoned, ms);
        expect(isTrainingTime(zoned, openMs)).toBe(true);
        if (openMs > ms) expect(isTrainingTime(zoned, openMs - 60_000)).toBe(false);
        expect(openMs - ms).toBeLessThanOrEqual(49 * 3_600_000);
      }
    }
  });
});
