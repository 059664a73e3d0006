import type { RecordedClock } from './record.style.js';

const MINUTE_MS = 60_000;
const DAY_MINUTES = 1440;
/** Day 0 of Excel's 1900 calendar for dates after its invented leap day. */
const EXCEL_EPOCH_MS = Date.UTC(1899, 11, 30);

/** Writes minutes after the start of a batch as the site's clock shows them; whole minutes only. */
export function clockText(clock: RecordedClock, startMs: number, minute: number): string {
  const instant = startMs + minute * MINUTE_MS;
  switch (clock.format) {
    case 'iso':
      return new Date(instant).toISOString().replace('.000Z', 'Z');
    case 'hours':
      return String(Number((minute / 60).toFixed(8)));
    case 'minutes':
      return String(minute);
    case 'excel-serial':
      return String(Number(((wallClock(instant, clock.zone) - EXCEL_EPOCH_MS) / MINUTE_MS / DAY_MINUTES).toFixed(10)));
    case 'local':
      return localText(clock.pattern, new Date(wallClock(instant, clock.zone)));
  }
}

/** The mapping file's description of that clock, without the column name. */
export function clockMapping(clock: RecordedClock): Record<string, string> {
  switch (clock.format) {
    case 'iso':
      return { format: 'iso' };
    case 'hours':
    case 'minutes':
      return { format: clock.format, since: 'batch-start' };
    case 'excel-serial':
      return { format: 'excel-serial', zone: clock.zone };
    case 'local':
      return { format: 'local', zone: clock.zone, pattern: clock.pattern };
  }
}

/** The instant at which a UTC clock shows what a clock of the zone shows at `instant`. */
function wallClock(instant: number, zone: string): number {
  let format = WALL_FORMATS.get(zone);
  if (format === undefined) {
    format = new Intl.DateTimeFormat('en-CA', {
      timeZone: zone,
      hourCycle: 'h23',
      year: 'numeric',
      month: 'numeric',
      day: 'numeric',
      hour: 'numeric',
      minute: 'numeric',
    });
    WALL_FORMATS.set(zone, format);
  }
  const parts = format.formatToParts(instant);
  const part = (wanted: Intl.DateTimeFormatPartTypes): number => Number(parts.find(({ type }) => type === wanted)?.value);
  return Date.UTC(part('year'), part('month') - 1, part('day'), part('hour'), part('minute'));
}

/** Building a formatter costs more than all the formatting of a batch. */
const WALL_FORMATS = new Map<string, Intl.DateTimeFormat>();

function localText(pattern: string, wall: Date): string {
  const two = (value: number): string => String(value).padStart(2, '0');
  const tokens: Record<string, string> = {
    yyyy: String(wall.getUTCFullYear()),
    MM: two(wall.getUTCMonth() + 1),
    dd: two(wall.getUTCDate()),
    HH: two(wall.getUTCHours()),
    mm: two(wall.getUTCMinutes()),
    ss: '00',
  };
  return pattern.replaceAll(/yyyy|MM|dd|HH|mm|ss/g, (token) => tokens[token]!);
}
