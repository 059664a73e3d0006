import { type FeatureColumn, featureColumns, hours, type Plan } from '@coferment/consortium';
import { interpolate, summarise } from './series.window.js';
import { checkBatches } from './site-batch.check.js';
import type { Series, SiteBatch } from './site-batch.js';

/** Why instants of a batch gave no row; the sentence is shown to the process engineer. */
export type DropReason = string;

export interface BatchRows {
  /** Row by row, the plan's columns in order. */
  readonly features: number[];
  readonly targets: number[];
  readonly timesH: number[];
  readonly dropped: Map<DropReason, number>;
}

type Cell = { readonly value: number } | { readonly missing: DropReason };

/** Windows one checked batch as the plan says. An instant without target or with any missing input gives no row, and is counted with its reason. */
export function windowBatch(plan: Plan, batch: SiteBatch): BatchRows {
  const columns = featureColumns(plan);
  const rows: BatchRows = { features: [], targets: [], timesH: [], dropped: new Map() };
  const drop = (reason: DropReason): void => void rows.dropped.set(reason, (rows.dropped.get(reason) ?? 0) + 1);
  const target = targetSeries(plan, batch);
  if (target.timeH.length === 0) {
    drop(`the batch has no ${plan.target.variable}`);
    return rows;
  }
  for (const atH of instants(plan, batch, target)) {
    const wanted = interpolate(target, atH);
    if (wanted === undefined) {
      drop(`${plan.target.variable} was not measured around that time`);
      continue;
    }
    const cells = inputsAt(plan, columns, batch, atH);
    if (typeof cells === 'string') {
      drop(cells);
      continue;
    }
    rows.features.push(...cells);
    rows.targets.push(wanted);
    rows.timesH.push(atH);
  }
  return rows;
}

/**
 * The inputs of the model for one instant of one checked batch, in the plan's order, or the reason why one is missing.
 * A window that begins before the batch does is missing: its mean and slope would be those of another length of time.
 */
function inputsAt(plan: Plan, columns: readonly FeatureColumn[], batch: SiteBatch, atH: number): number[] | DropReason {
  const values: number[] = [];
  for (const column of columns) {
    const cell = cellAt(plan, column, batch, atH, values);
    if ('missing' in cell) return cell.missing;
    values.push(cell.value);
  }
  return values;
}

function cellAt(plan: Plan, column: FeatureColumn, batch: SiteBatch, atH: number, earlier: readonly number[]): Cell {
  switch (column.kind) {
    case 'window': {
      const windowH = hours(plan.sample.window);
      const series = batch.series[column.variable];
      if (series === undefined) return { missing: `the batch has no ${column.variable}` };
      if (atH < windowH) return { missing: 'the window begins before the batch' };
      const value = summarise(series, atH, windowH, column.summary);
      return value === undefined ? { missing: `too few records of ${column.variable} in the window` } : { value };
    }
    case 'time-since-phase': {
      const { phase } = plan.sample;
      const startH = phase === null ? 0 : batch.phaseStarts[phase];
      if (startH === undefined) return { missing: `the batch has no phase ${phase}` };
      return atH < startH ? { missing: `before the phase ${phase ?? 'batch'}` } : { value: atH - startH };
    }
    case 'product': {
      const [a, b] = column.factors;
      return { value: earlier[a]! * earlier[b]! };
    }
  }
}

function instants(plan: Plan, batch: SiteBatch, target: Series): number[] {
  switch (plan.sample.at) {
    case 'samples':
      return [...target.timeH];
    case 'grid':
      return gridPoints(plan, Math.max(target.timeH.at(-1)!, lastRecordH(batch)));
  }
}

/** The target as the laboratory measured it, or, for a variable that is only online, as it was recorded. */
function targetSeries(plan: Plan, batch: SiteBatch): Series {
  const name = plan.target.variable;
  const measured = batch.samples.filter((sample) => sample.values[name] !== undefined);
  if (measured.length > 0) {
    return {
      timeH: Float64Array.from(measured, (sample) => sample.timeH),
      value: Float64Array.from(measured, (sample) => sample.values[name]!),
    };
  }
  return batch.series[name] ?? { timeH: new Float64Array(), value: new Float64Array() };
}

export interface PredictionInputs {
  readonly timesH: readonly number[];
  /** rows × inputs of the plan, row by row. */
  readonly features: Float32Array;
  readonly dropped: ReadonlyMap<DropReason, number>;
}

/** Inputs at every grid point of a batch, target or not: what a model is applied to while the batch runs. @throws LearningError 'malformed-batch' */
export function predictionInputs(plan: Plan, batch: SiteBatch): PredictionInputs {
  checkBatches([batch]);
  const columns = featureColumns(plan);
  const timesH: number[] = [];
  const features: number[] = [];
  const dropped = new Map<DropReason, number>();
  for (const atH of gridPoints(plan, lastRecordH(batch))) {
    const cells = inputsAt(plan, columns, batch, atH);
    if (typeof cells === 'string') {
      dropped.set(cells, (dropped.get(cells) ?? 0) + 1);
      continue;
    }
    timesH.push(atH);
    features.push(...cells);
  }
  return { timesH, features: Float32Array.from(features), dropped };
}

function gridPoints(plan: Plan, endH: number): number[] {
  const everyH = hours(plan.sample.every);
  return Array.from({ length: Math.max(0, Math.floor(endH / everyH + 1e-9) + 1) }, (_, index) => index * everyH);
}

function lastRecordH(batch: SiteBatch): number {
  return Math.max(-1, ...Object.values(batch.series).map((series) => series.timeH.at(-1) ?? -1));
}
