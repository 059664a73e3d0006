import { columnIndex, type CsvTable } from './csv.reader.js';
import { DataError } from './data.error.js';
import type { Mapping } from './mapping.schema.js';
import { readTime } from './time.reader.js';

/** One line of the batch table: [startMs, endMs], both ends included. */
export interface BatchWindow {
  readonly batch: string;
  readonly startMs: number;
  readonly endMs: number;
}

/**
 * Reads the table that cuts a long historian file into batches.
 * @returns windows in order of start
 * @throws DataError 'missing-column' | 'missing-batch' | 'malformed-time' | 'ambiguous-time' | 'time-backwards' | 'overlapping-batches'
 */
export function readBatchWindows(table: CsvTable, layout: NonNullable<Mapping['batchTable']>): BatchWindow[] {
  const batchIndex = columnIndex(table, layout.batch);
  const startIndex = columnIndex(table, layout.start.column);
  const endIndex = columnIndex(table, layout.end.column);
  const lines = new Map<string, number>();
  const windows = table.rows.map(({ cells, line }) => {
    const place = { file: table.file, line };
    const batch = (cells[batchIndex] ?? '').trim();
    if (batch === '')
      throw new DataError('missing-batch', 'the batch id is empty. Fill it in or remove the row.', { ...place, column: layout.batch });
    const earlier = lines.get(batch);
    if (earlier !== undefined)
      throw new DataError('overlapping-batches', `batch '${batch}' is also on line ${earlier}. A batch has one start and one end.`, place);
    lines.set(batch, line);
    const instant = (index: number, clock: typeof layout.start): number => {
      const time = readTime(cells[index] ?? '', clock, layout.decimal, { ...place, column: clock.column });
      if (time.kind === 'instant' && time.repeated === undefined) return time.ms;
      const meanings = time.kind === 'instant' ? ` (${time.repeated?.meanings.join(' or ') ?? ''})` : '';
      throw new DataError('ambiguous-time', `daylight saving repeats this hour${meanings}. Write the time in UTC or with its offset.`, {
        ...place,
        column: clock.column,
      });
    };
    const window = { batch, startMs: instant(startIndex, layout.start), endMs: instant(endIndex, layout.end) };
    if (window.endMs <= window.startMs)
      throw new DataError('time-backwards', `batch '${batch}' ends before it starts. Correct the times.`, {
        ...place,
        column: layout.end.column,
      });
    return window;
  });
  windows.sort((a, b) => a.startMs - b.startMs);
  for (const [index, window] of windows.entries()) {
    const next = windows[index + 1];
    if (next !== undefined && next.startMs < window.endMs) {
      throw new DataError(
        'overlapping-batches',
        `'${window.batch}' has not ended when '${next.batch}' starts, so a row could belong to both. Give each unit its own mapping file.`,
        {
          file: table.file,
          line: lines.get(next.batch) ?? 0,
        },
      );
    }
  }
  return windows;
}

/** The window an instant falls into; at a shared boundary the batch that starts there. */
export function windowAt(windows: readonly BatchWindow[], ms: number): BatchWindow | undefined {
  let low = 0;
  let high = windows.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((windows[middle]?.startMs ?? Infinity) <= ms) low = middle + 1;
    else high = middle;
  }
  const window = windows[low - 1];
  return window !== undefined && ms <= window.endMs ? window : undefined;
}
