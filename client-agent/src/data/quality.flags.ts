import { findVariable } from '@coferment/consortium';
import type { Series } from '@coferment/learning';
import type { DataFlag } from './data.report.js';
import type { MappingColumn, MappingSource } from './mapping.schema.js';
import { toCanonical, type UnitConverter } from './unit.converter.js';

/** A hole is a pause of more than this many usual sampling intervals, unless the mapping says otherwise. */
const USUAL_INTERVALS = 10;
/** A measured quantity always trembles; one that repeats itself for so long is a stuck sensor or a frozen tag. Set points and totals may well stand still. */
const FLAT_AFTER_H = 3;
const ALWAYS_TREMBLES: ReadonlySet<string> = new Set(['temperature', 'ph', 'dissolved_oxygen', 'offgas_o2', 'offgas_co2']);

export interface LocatedSeries extends Series {
  /** File and line of each record, for messages. */
  readonly file: readonly string[];
  readonly line: readonly number[];
}

interface Subject {
  readonly batch: string;
  readonly variable: string;
}

/** Readings outside what the mapping (or else the standard) calls possible. */
export function outOfRange(subject: Subject, series: LocatedSeries, column: MappingColumn, converter: UnitConverter): DataFlag[] {
  const standard = findVariable(subject.variable);
  const low = column.valid === undefined ? (standard?.low ?? -Infinity) : toCanonical(converter, column.valid.low);
  const high = column.valid === undefined ? (standard?.high ?? Infinity) : toCanonical(converter, column.valid.high);
  let count = 0;
  let first = -1;
  let lowest = Infinity;
  let highest = -Infinity;
  for (const [index, value] of series.value.entries()) {
    if (value >= low && value <= high) continue;
    if (count === 0) first = index;
    count++;
    lowest = Math.min(lowest, value);
    highest = Math.max(highest, value);
  }
  if (count === 0) return [];
  const found = lowest === highest ? shown(lowest) : `${shown(lowest)} to ${shown(highest)}`;
  const text = `${count} of ${series.value.length} values (${found}) lie outside ${shown(low)} to ${shown(high)} ${converter.to}`;
  return [{ kind: 'out-of-range', ...subject, count, text, ...at(series, first) }];
}

/** Pauses in an online series. */
export function gaps(subject: Subject, series: LocatedSeries, declared: MappingSource['flags']): DataFlag[] {
  const intervals = Array.from(series.timeH.subarray(1), (time, index) => time - (series.timeH[index] ?? time));
  if (intervals.length === 0) return [];
  const usual = intervals.toSorted((a, b) => a - b)[intervals.length >> 1] ?? 0;
  const limit = declared?.gapAfter ?? USUAL_INTERVALS * usual;
  const holes = intervals.flatMap((length, index) => (length > limit ? [{ length, index }] : []));
  const longest = holes.reduce((best, hole) => (hole.length > best.length ? hole : best), { length: 0, index: -1 });
  if (longest.index < 0) return [];
  const from = series.timeH[longest.index] ?? 0;
  const text = `${holes.length} ${holes.length === 1 ? 'pause' : 'pauses'} of more than ${span(limit)}; the longest lasts ${span(longest.length)}, from hour ${shown(from)}`;
  return [{ kind: 'gap', ...subject, count: holes.length, text, ...at(series, longest.index) }];
}

/** Stretches in which a sensor repeats exactly one value. */
export function flatLines(subject: Subject, series: LocatedSeries, declared: MappingSource['flags']): DataFlag[] {
  const limit = declared?.flatAfter ?? (ALWAYS_TREMBLES.has(subject.variable) ? FLAT_AFTER_H : Infinity);
  let count = 0;
  let longest = { length: 0, index: -1 };
  let start = 0;
  for (let index = 1; index <= series.value.length; index++) {
    if (index < series.value.length && series.value[index] === series.value[start]) continue;
    const length = (series.timeH[index - 1] ?? 0) - (series.timeH[start] ?? 0);
    if (length > limit) {
      count++;
      if (length > longest.length) longest = { length, index: start };
    }
    start = index;
  }
  if (count === 0) return [];
  const value = shown(series.value[longest.index] ?? 0);
  const text = `the value does not move for ${span(longest.length)} (stays at ${value} from hour ${shown(series.timeH[longest.index] ?? 0)})`;
  return [{ kind: 'flat-line', ...subject, count, text, ...at(series, longest.index) }];
}

/** Four significant digits: enough to find a value in a file, and no false precision. */
export function shown(value: number): string {
  return Number.isFinite(value) ? String(Number(value.toPrecision(4))) : 'no limit';
}

function span(hours: number): string {
  return hours >= 1 ? `${shown(hours)} h` : hours >= 1 / 60 ? `${shown(hours * 60)} min` : `${shown(hours * 3600)} s`;
}

function at(series: LocatedSeries, index: number): { file?: string; line?: number } {
  const file = series.file[index];
  const line = series.line[index];
  return file === undefined || line === undefined ? {} : { file, line };
}
