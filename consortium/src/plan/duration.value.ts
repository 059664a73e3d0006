/** A span of time in whole milliseconds. A plan writes it as text (`10 min`, `1 h`, `30 d`). */
export type Milliseconds = number;

const UNITS = { d: 86_400_000, h: 3_600_000, min: 60_000, s: 1_000, ms: 1 } as const;
type Unit = keyof typeof UNITS;

/** Ten years: longer than any retention, and far below the integers a double holds exactly. */
const LONGEST_MS = 3650 * UNITS.d;

export const DURATION_FORM = 'must be a length of time such as "30 s", "10 min", "1 h" or "30 d" (at most 3650 d)';

/** Reads `10 min` as 600000; undefined when the text is not a positive length of time of whole milliseconds. */
export function parseDuration(text: string): Milliseconds | undefined {
  const match = /^(\d{1,9}(?:\.\d{1,6})?) ?(d|h|min|s|ms)$/.exec(text);
  if (!match) return undefined;
  const ms = Number(match[1]) * UNITS[match[2] as Unit];
  return Number.isInteger(ms) && ms > 0 && ms <= LONGEST_MS ? ms : undefined;
}

/** The one spelling that enters the plan's digest: the largest unit that divides evenly, so `60 min` and `1 h` are the same plan. */
export function formatDuration(ms: Milliseconds): string {
  for (const [unit, size] of Object.entries(UNITS)) {
    if (ms % size === 0) return `${ms / size} ${unit}`;
  }
  throw new RangeError(`${ms} is not a whole number of milliseconds`);
}

/** Hours as a double, the unit in which batches are timed and slopes are given. */
export function hours(ms: Milliseconds): number {
  return ms / UNITS.h;
}
