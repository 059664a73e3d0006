import { DateTime } from 'luxon';
import type { TrainingSchedule } from './policy.schema.js';

const MINUTE_MS = 60_000;
const DAY_MINUTES = 1440;

/**
 * Whether the clock on the wall stands within the window. By what it shows and not by elapsed time: in the night in which it is set back, the hour that it shows
 * twice counts twice, and in the other one a time that it never shows is passed with the next that it does.
 */
export function isTrainingTime({ trainBetween, timeZone }: TrainingSchedule, nowMs: number): boolean {
  const [from, to] = trainBetween.map(minuteOf) as [number, number];
  const { hour, minute } = DateTime.fromMillis(nowMs, { zone: timeZone });
  const now = hour * 60 + minute;
  return from < to ? now >= from && now < to : now >= from || now < to;
}

/** The first whole minute from now on at which training may begin, in milliseconds since 1970; now where it may. */
export function nextTrainingMs(schedule: TrainingSchedule, nowMs: number): number {
  if (isTrainingTime(schedule, nowMs)) return nowMs;
  const now = DateTime.fromMillis(nowMs, { zone: schedule.timeZone });
  const thisMinuteMs = nowMs - (nowMs % MINUTE_MS);
  if (now.offset === now.plus({ hours: 24 }).offset) {
    const ahead = (minuteOf(schedule.trainBetween[0]) - (now.hour * 60 + now.minute) + DAY_MINUTES) % DAY_MINUTES;
    return thisMinuteMs + ahead * MINUTE_MS;
  }
  // The clock is set within a day, and may skip the hours or show them twice.
  let openMs = thisMinuteMs + MINUTE_MS;
  while (!isTrainingTime(schedule, openMs)) openMs += MINUTE_MS;
  return openMs;
}

export function scheduleText({ trainBetween: [from, to], timeZone }: TrainingSchedule): string {
  return `This site trains only between ${from} and ${to} (${timeZone})`;
}

/** Local, with the zone, as the people at the site read it. */
export function localTimeText({ timeZone }: TrainingSchedule, ms: number): string {
  return `${DateTime.fromMillis(ms, { zone: timeZone }).toFormat('yyyy-MM-dd HH:mm')} (${timeZone})`;
}

function minuteOf(time: string): number {
  const [hour, minute] = time.split(':').map(Number) as [number, number];
  return hour * 60 + minute;
}
