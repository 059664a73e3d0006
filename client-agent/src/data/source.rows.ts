import { columnIndex, type CsvRow, type CsvTable } from './csv.reader.js';
import { DataError } from './data.error.js';
import type { MappingSource } from './mapping.schema.js';
import { readNumber } from './number.reader.js';
import { readTime, type RepeatedHour, type TimeReading } from './time.reader.js';
import { toCanonical, type UnitConverter } from './unit.converter.js';

/** One row of one file, in canonical units. */
export interface SourceRow {
  readonly file: string;
  readonly line: number;
  readonly time: TimeReading;
  /** In the order of the source's columns; NaN where the cell is empty or a missing code. */
  readonly values: Float64Array;
}

export interface DuplicateRows {
  readonly count: number;
  readonly file: string;
  readonly firstLine: number;
}

export interface FileRows {
  /** By batch id; one group with the empty id when a batch table cuts the file later. */
  readonly groups: ReadonlyMap<string, SourceRow[]>;
  readonly duplicates: ReadonlyMap<string, DuplicateRows>;
  readonly notSelected: number;
}

export interface ReadColumn {
  readonly variable: string;
  readonly column: string;
  readonly converter: UnitConverter;
  readonly missing: readonly string[];
}

/**
 * Turns a table into rows by batch, each group in order of time and without exact repetitions.
 * @throws DataError 'missing-column' | 'missing-batch' | 'malformed-number' | 'malformed-time' | 'nonexistent-time' | 'ambiguous-time' | 'time-backwards' | 'conflicting-rows'
 */
export function readRows(table: CsvTable, source: MappingSource, columns: readonly ReadColumn[]): FileRows {
  const timeIndex = columnIndex(table, source.time.column);
  const selectIndex = source.select === undefined ? -1 : columnIndex(table, source.select.column);
  const selects = source.select === undefined ? () => true : globMatcher(source.select.matches);
  const batchOf = batchReader(table, source);
  const indexed = columns.map((column) => ({ ...column, index: columnIndex(table, column.column) }));
  const groups = new Map<string, SourceRow[]>();
  let notSelected = 0;
  for (const row of table.rows) {
    if (selectIndex >= 0 && !selects((row.cells[selectIndex] ?? '').trim())) {
      notSelected++;
      continue;
    }
    const place = { file: table.file, line: row.line };
    const time = readTime(row.cells[timeIndex] ?? '', source.time, source.decimal, { ...place, column: source.time.column });
    const values = Float64Array.from(indexed, ({ index, column, converter, missing }) => {
      const value = readNumber(row.cells[index] ?? '', source.decimal, missing, { ...place, column });
      return value === undefined ? Number.NaN : toCanonical(converter, value);
    });
    const batch = batchOf(row);
    const group = groups.get(batch) ?? [];
    group.push({ ...place, time, values });
    groups.set(batch, group);
  }
  const duplicates = new Map<string, DuplicateRows>();
  for (const [batch, rows] of groups) {
    refuseRepeatedHour(rows, source.time.column);
    refuseBackwards(rows, source.time.column);
    const merged = mergeEqualTimes(rows, columns);
    groups.set(batch, merged.rows);
    if (merged.duplicates !== undefined) duplicates.set(batch, merged.duplicates);
  }
  return { groups, duplicates, notSelected };
}

/** Position of a time on its own scale: milliseconds for instants, hours for elapsed times. */
export function timeOrder(time: TimeReading): number {
  return time.kind === 'instant' ? time.ms : time.hours;
}

/** `*` stands for any characters, `?` for one; everything else for itself. */
function globMatcher(pattern: string): (text: string) => boolean {
  const expression = pattern
    .replaceAll(/[.+^${}()|[\]\\]/g, String.raw`\$&`)
    .replaceAll('*', '.*')
    .replaceAll('?', '.');
  const regular = new RegExp(`^${expression}$`, 'su');
  return (text) => regular.test(text);
}

function batchReader(table: CsvTable, source: MappingSource): (row: CsvRow) => string {
  const rule = source.batch;
  if ('byTable' in rule) return () => '';
  if ('fromFileName' in rule) {
    const name = table.file.slice(table.file.lastIndexOf('/') + 1);
    const match = new RegExp(rule.fromFileName, 'u').exec(name);
    const id = match?.groups?.['batch'] ?? match?.[1];
    if (id === undefined || id === '') {
      throw new DataError(
        'missing-batch',
        `the pattern '${rule.fromFileName}' finds no batch id in this file name. Put the id's part in brackets ( ), or narrow the path.`,
        { file: table.file },
      );
    }
    return () => id;
  }
  const index = columnIndex(table, rule.column);
  return (row) => {
    const id = (row.cells[index] ?? '').trim();
    if (id !== '') return id;
    throw new DataError('missing-batch', 'the batch id is empty. Fill it in or remove the row.', {
      file: table.file,
      line: row.line,
      column: rule.column,
    });
  };
}

function refuseRepeatedHour(rows: readonly SourceRow[], column: string): void {
  const repeated = rows.flatMap((row) =>
    row.time.kind === 'instant' && row.time.repeated !== undefined ? [{ row, hour: row.time.repeated }] : [],
  );
  const first = repeated[0];
  if (first === undefined) return;
  const [a, b] = repeatedPair(repeated) ?? [first, undefined];
  const other = b === undefined ? '' : ` and line ${b.row.line} shows that hour again`;
  throw new DataError(
    'ambiguous-time',
    `the clock of ${a.hour.zone} showed this time twice (${a.hour.meanings.join(' or ')})${other}, because daylight saving ended. Export these rows in UTC or with their offset.`,
    { file: a.row.file, line: a.row.line, column },
  );
}

interface RepeatedRow {
  readonly row: SourceRow;
  readonly hour: RepeatedHour;
}

/** Two rows with the same clock time, or else the two between which the clock went back. */
function repeatedPair(rows: readonly RepeatedRow[]): readonly [RepeatedRow, RepeatedRow] | undefined {
  const seen = new Map<number, RepeatedRow>();
  for (const row of rows) {
    const earlier = seen.get(row.hour.localMs);
    if (earlier !== undefined) return [earlier, row];
    seen.set(row.hour.localMs, row);
  }
  for (const [index, row] of rows.entries()) {
    const next = rows[index + 1];
    if (next !== undefined && next.hour.localMs < row.hour.localMs) return [row, next];
  }
  return undefined;
}

function refuseBackwards(rows: readonly SourceRow[], column: string): void {
  for (const [index, row] of rows.entries()) {
    const before = rows[index - 1];
    if (before !== undefined && timeOrder(row.time) < timeOrder(before.time)) {
      throw new DataError(
        'time-backwards',
        `the time is earlier than on line ${before.line} of the same batch. Sort the export by time, or check the batch column and the time zone.`,
        { file: row.file, line: row.line, column },
      );
    }
  }
}

/** Rows at one instant are one record if no cell contradicts another. Exact repetitions are counted; contradictions are for the site to settle. */
export function mergeEqualTimes(
  rows: readonly SourceRow[],
  columns: readonly ReadColumn[],
): { rows: SourceRow[]; duplicates?: DuplicateRows } {
  const kept: SourceRow[] = [];
  let count = 0;
  let firstLine = 0;
  for (const row of rows) {
    const last = kept.at(-1);
    if (last === undefined || timeOrder(last.time) !== timeOrder(row.time)) {
      kept.push(row);
      continue;
    }
    for (const [index, { column }] of columns.entries()) {
      const a = last.values[index] ?? Number.NaN;
      const b = row.values[index] ?? Number.NaN;
      if (!Number.isNaN(a) && !Number.isNaN(b) && a !== b) {
        throw new DataError(
          'conflicting-rows',
          `${last.file === row.file ? '' : `${last.file} `}line ${last.line} has the same batch and time but another value. Remove the wrong row.`,
          {
            file: row.file,
            line: row.line,
            column,
          },
        );
      }
    }
    if (row.values.every((value, index) => Object.is(value, last.values[index]))) {
      if (count === 0) firstLine = row.line;
      count++;
    }
    const values = last.values.map((value, index) => (Number.isNaN(value) ? (row.values[index] ?? value) : value));
    kept[kept.length - 1] = { ...last, values };
  }
  const file = rows[0]?.file ?? '';
  return count === 0 ? { rows: kept } : { rows: kept, duplicates: { count, file, firstLine } };
}
