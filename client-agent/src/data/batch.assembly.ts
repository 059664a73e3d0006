import type { OfflineSample, Series, SiteBatch } from '@coferment/learning';
import type { BatchWindow } from './batch.windows.js';
import { DataError } from './data.error.js';
import type { BatchSummary, DataFlag, VariableSummary } from './data.report.js';
import type { Mapping, Phase } from './mapping.schema.js';
import { flatLines, gaps, type LocatedSeries, outOfRange, shown } from './quality.flags.js';
import { joinSamples, type SampleRow } from './sample.join.js';
import { alignSeries } from './series.alignment.js';
import type { LoadedSource } from './source.loader.js';
import type { SourceRow, ReadColumn } from './source.rows.js';
import type { TimeReading } from './time.reader.js';

/** A sample farther than this from every online record has a wrong clock or no features; a declared join tolerance replaces it. */
const SAMPLE_DISTANCE_H = 1;
const MS_PER_HOUR = 3_600_000;

export interface AssembledBatch {
  readonly batch: SiteBatch;
  readonly summary: BatchSummary;
  readonly flags: readonly DataFlag[];
}

/**
 * Puts everything that belongs to one batch on one clock. Online series come first, because a phase may be found in them,
 * and offline times may be counted from that phase.
 * @throws DataError 'batch-without-series' | 'batch-without-samples' | 'phase-not-found' | 'conflicting-rows'
 */
export function assembleBatch(
  id: string,
  mapping: Mapping,
  sources: readonly LoadedSource[],
  window: BatchWindow | undefined,
): AssembledBatch {
  refuseIncomplete(id, sources);
  const flags: DataFlag[] = [];
  const variables: VariableSummary[] = [];
  const phaseStarts: Record<string, number> = {};
  for (const [phase, rule] of Object.entries(mapping.phases) as [Phase, Mapping['phases'][Phase]][]) {
    if (rule !== undefined && 'atHour' in rule) phaseStarts[phase] = rule.atHour;
  }
  const startMs = window?.startMs ?? earliestInstant(id, sources);
  const clock = (time: TimeReading, file: string): number => hoursOf(time, startMs, phaseStarts, id, file);

  const series: Record<string, Series> = {};
  const recorded: Record<string, LocatedSeries> = {};
  for (const loaded of sources.filter(({ source }) => source.role === 'online')) {
    const rows = loaded.batches.get(id) ?? [];
    const timeH = rows.map((row) => clock(row.time, row.file));
    for (const [index, column] of loaded.columns.entries()) {
      const { variable } = column;
      const located = columnSeries(rows, timeH, index);
      variables.push(summarise(column, 'online', located.value, rows.length));
      flags.push(...inspect(id, loaded, column, located));
      if (located.value.length === 0) continue;
      if (recorded[variable] !== undefined) {
        throw new DataError(
          'conflicting-rows',
          `batch '${id}' gets ${variable} from two online sources. Map the variable in one of them.`,
          { file: loaded.source.path },
        );
      }
      recorded[variable] = located;
      const plain = { timeH: located.timeH, value: located.value };
      series[variable] = loaded.source.align === undefined ? plain : alignSeries(plain, loaded.source.align);
    }
  }
  findPhases(id, mapping, recorded, phaseStarts, flags);

  const sampleRows: SampleRow[] = [];
  for (const loaded of sources.filter(({ source }) => source.role === 'offline')) {
    const rows = loaded.batches.get(id) ?? [];
    const timeH = rows.map((row) => clock(row.time, row.file));
    for (const [index, column] of loaded.columns.entries()) {
      const located = columnSeries(rows, timeH, index);
      variables.push(summarise(column, 'offline', located.value, rows.length));
      const mapped = loaded.source.columns[column.variable];
      if (mapped !== undefined) flags.push(...outOfRange({ batch: id, variable: column.variable }, located, mapped, column.converter));
    }
    const toleranceH = loaded.source.join?.tolerance ?? 0;
    for (const [index, row] of rows.entries()) {
      const { file, line } = row;
      sampleRows.push({
        source: loaded.source.name,
        file,
        line,
        timeH: timeH[index] ?? 0,
        toleranceH,
        values: measured(row, loaded.columns),
      });
    }
  }
  flags.push(...samplesWithoutRecords(id, sampleRows, Object.values(recorded)));
  const samples = joinSamples(sampleRows);
  const batch: SiteBatch = { id, scale: mapping.scale, phaseStarts, series, samples };
  return { batch, summary: { id, ...extent(series, samples), phaseStarts, samples: samples.length, variables }, flags };
}

function refuseIncomplete(id: string, sources: readonly LoadedSource[]): void {
  for (const [role, code, what] of [
    ['online', 'batch-without-series', 'online records'],
    ['offline', 'batch-without-samples', 'samples'],
  ] as const) {
    const ofRole = sources.filter(({ source }) => source.role === role);
    if (ofRole.length === 0 || ofRole.some(({ batches }) => batches.has(id))) continue;
    const files = ofRole.map(({ source }) => source.path).join(', ');
    throw new DataError(
      code,
      `batch '${id}' has no ${what}. Check the spelling of the batch id in both files, or leave the batch out with select.`,
      { file: files },
    );
  }
}

function earliestInstant(id: string, sources: readonly LoadedSource[]): number | undefined {
  const instants = sources.flatMap(({ batches }) => {
    const first = batches.get(id)?.[0]?.time;
    return first?.kind === 'instant' ? [first.ms] : [];
  });
  return instants.length === 0 ? undefined : Math.min(...instants);
}

function hoursOf(time: TimeReading, startMs: number | undefined, phaseStarts: Record<string, number>, batch: string, file: string): number {
  if (time.kind === 'instant') return (time.ms - (startMs ?? time.ms)) / MS_PER_HOUR;
  if (time.since === 'batch-start') return time.hours;
  const start = phaseStarts[time.since];
  if (start === undefined) {
    throw new DataError(
      'phase-not-found',
      `times are counted from '${time.since}', but batch '${batch}' never reaches that phase by the mapping's rule. Correct the rule, or leave the batch out with select.`,
      { file },
    );
  }
  return time.hours + start;
}

function columnSeries(rows: readonly SourceRow[], timeH: readonly number[], index: number): LocatedSeries {
  const filled = rows.flatMap((row, at) => {
    const value = row.values[index] ?? Number.NaN;
    return Number.isNaN(value) ? [] : [{ row, value, timeH: timeH[at] ?? 0 }];
  });
  return {
    timeH: Float64Array.from(filled, (entry) => entry.timeH),
    value: Float64Array.from(filled, (entry) => entry.value),
    file: filled.map((entry) => entry.row.file),
    line: filled.map((entry) => entry.row.line),
  };
}

function summarise(
  { variable, converter }: ReadColumn,
  role: VariableSummary['role'],
  values: Float64Array,
  rows: number,
): VariableSummary {
  const base = { variable, unit: converter.to, role, records: values.length, missing: rows - values.length };
  if (values.length === 0) return base;
  return { ...base, low: values.reduce((a, b) => Math.min(a, b), Infinity), high: values.reduce((a, b) => Math.max(a, b), -Infinity) };
}

function inspect(batch: string, { source, batches }: LoadedSource, column: ReadColumn, series: LocatedSeries): DataFlag[] {
  const { variable } = column;
  const mapped = source.columns[variable];
  if (mapped === undefined) return [];
  if (series.value.length === 0) {
    const text = batches.has(batch) ? 'every cell is empty' : `the source '${source.name}' has no row of this batch`;
    return [{ kind: 'no-records', batch, variable, count: 1, text }];
  }
  const subject = { batch, variable };
  return [
    ...outOfRange(subject, series, mapped, column.converter),
    ...gaps(subject, series, source.flags),
    ...flatLines(subject, series, source.flags),
  ];
}

function findPhases(
  batch: string,
  mapping: Mapping,
  recorded: Readonly<Record<string, LocatedSeries>>,
  phaseStarts: Record<string, number>,
  flags: DataFlag[],
): void {
  for (const [phase, rule] of Object.entries(mapping.phases) as [Phase, Mapping['phases'][Phase]][]) {
    if (rule === undefined || 'atHour' in rule) continue;
    const above = 'whenAbove' in rule;
    const { variable, value } = above ? rule.whenAbove : rule.whenBelow;
    const series = recorded[variable];
    const index = series?.value.findIndex((reading) => (above ? reading > value : reading < value)) ?? -1;
    const start = series?.timeH[index];
    if (start !== undefined) phaseStarts[phase] = start;
    else
      flags.push({
        kind: 'phase-not-reached',
        batch,
        variable,
        count: 1,
        text: `${phase} is not reached: ${variable} is never ${above ? 'above' : 'below'} ${value}`,
      });
  }
}

function measured(row: SourceRow, columns: readonly ReadColumn[]): Record<string, number> {
  return Object.fromEntries(
    columns.flatMap(({ variable }, index) => {
      const value = row.values[index] ?? Number.NaN;
      return Number.isNaN(value) ? [] : [[variable, value] as const];
    }),
  );
}

function samplesWithoutRecords(batch: string, rows: readonly SampleRow[], online: readonly LocatedSeries[]): DataFlag[] {
  if (online.length === 0) return [];
  const lonely = rows.filter(({ timeH, toleranceH }) => {
    const limit = toleranceH > 0 ? toleranceH : SAMPLE_DISTANCE_H;
    return online.every((series) => series.timeH.every((time) => Math.abs(time - timeH) > limit));
  });
  const [first] = lonely;
  if (first === undefined) return [];
  const text = `${lonely.length} of ${rows.length} samples have no online record near them (the first at hour ${shown(first.timeH)})`;
  return [{ kind: 'sample-without-records', batch, file: first.file, line: first.line, count: lonely.length, text }];
}

function extent(series: Readonly<Record<string, Series>>, samples: readonly OfflineSample[]): { fromH: number; toH: number } {
  const ends = Object.values(series).flatMap(({ timeH }) => [timeH[0] ?? 0, timeH.at(-1) ?? 0]);
  const times = [...ends, ...samples.map((sample) => sample.timeH)];
  return { fromH: Math.min(...times), toH: Math.max(...times) };
}
