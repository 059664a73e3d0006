import { featureColumns, featureNames, featureRanges, type Plan, planDigest } from '@coferment/consortium';
import { digest } from '@coferment/crypto';
import { windowBatch } from '../windows/batch.rows.js';
import { checkBatches } from '../windows/site-batch.check.js';
import type { SiteBatch } from '../windows/site-batch.js';
import { holdoutBatches } from './holdout.rule.js';

/** Rows of a dataset, values in their own units. */
export interface Rows {
  readonly rows: number;
  readonly inputs: number;
  /** rows × inputs, row by row. */
  readonly features: Float32Array;
  readonly targets: Float32Array;
  /** The batch of each row. */
  readonly batchIds: readonly string[];
  /** Hours since batch start of each row. */
  readonly timesH: Float64Array;
}

/** What became of one batch. `unused`: it gave no row. */
export interface BatchUse {
  readonly id: string;
  readonly part: 'train' | 'holdout' | 'unused';
  readonly rows: number;
}

export interface Dataset {
  readonly train: Rows;
  readonly holdout: Rows;
  /** Names exactly these rows of this plan; 64 hex characters. */
  readonly manifestDigest: string;
  readonly batches: readonly BatchUse[];
  /** Instants that gave no row, by reason, most frequent first. */
  readonly dropped: readonly { readonly reason: string; readonly count: number }[];
}

/**
 * Rows of a site's batches as the plan declares them, split by batch.
 * @throws LearningError 'malformed-batch'
 */
export function buildDataset(plan: Plan, batches: readonly SiteBatch[]): Dataset {
  checkBatches(batches);
  const windowed = batches.map((batch) => ({ id: batch.id, ...windowBatch(plan, batch) }));
  const kept = holdoutBatches(
    plan,
    windowed.filter(({ targets }) => targets.length > 0).map(({ id }) => id),
  );
  const dropped = new Map<string, number>();
  for (const batch of windowed) {
    for (const [reason, count] of batch.dropped) dropped.set(reason, (dropped.get(reason) ?? 0) + count);
  }
  const inputs = featureColumns(plan).length;
  const train = joinRows(
    inputs,
    windowed.filter(({ id }) => !kept.has(id)),
  );
  const holdout = joinRows(
    inputs,
    windowed.filter(({ id }) => kept.has(id)),
  );
  return {
    train,
    holdout,
    manifestDigest: digest('dataset', planDigest(plan), rowsDigest(train), rowsDigest(holdout)),
    batches: windowed.map(({ id, targets }) => ({
      id,
      part: targets.length === 0 ? 'unused' : kept.has(id) ? 'holdout' : 'train',
      rows: targets.length,
    })),
    dropped: [...dropped]
      .map(([reason, count]) => ({ reason, count }))
      .toSorted((a, b) => b.count - a.count || (a.reason < b.reason ? -1 : 1)),
  };
}

interface Windowed {
  readonly id: string;
  readonly features: readonly number[];
  readonly targets: readonly number[];
  readonly timesH: readonly number[];
}

function joinRows(inputs: number, parts: readonly Windowed[]): Rows {
  const batchIds = parts.flatMap(({ id, targets }) => targets.map(() => id));
  return {
    rows: batchIds.length,
    inputs,
    features: Float32Array.from(parts.flatMap(({ features }) => features)),
    targets: Float32Array.from(parts.flatMap(({ targets }) => targets)),
    batchIds,
    timesH: Float64Array.from(parts.flatMap(({ timesH }) => timesH)),
  };
}

/** Several sites' rows as one: for the pooled baseline and common test sets, where the data are the reader's own. */
export function concatenateRows(parts: readonly Rows[]): Rows {
  return {
    rows: parts.reduce((total, { rows }) => total + rows, 0),
    inputs: parts[0]?.inputs ?? 0,
    features: Float32Array.from(parts.flatMap(({ features }) => [...features])),
    targets: Float32Array.from(parts.flatMap(({ targets }) => [...targets])),
    batchIds: parts.flatMap(({ batchIds }) => batchIds),
    timesH: Float64Array.from(parts.flatMap(({ timesH }) => [...timesH])),
  };
}

function rowsDigest(rows: Rows): string {
  return digest('rows', rows.rows, littleEndian(rows.features), littleEndian(rows.targets), rows.batchIds);
}

function littleEndian(values: Float32Array): Uint8Array {
  const view = new DataView(new ArrayBuffer(values.length * 4));
  values.forEach((value, index) => view.setFloat32(index * 4, value, true));
  return new Uint8Array(view.buffer);
}

/** How the values of one input column lie to the plan's public range. Values outside are clamped in the statistics sum, nowhere else. */
export interface ColumnSpread {
  readonly name: string;
  readonly low: number;
  readonly high: number;
  readonly planLow: number;
  readonly planHigh: number;
  readonly outside: number;
}

/** Smallest and largest value of each input column, beside the plan's ranges; empty without rows. */
export function columnSpreads(plan: Plan, rows: Rows): ColumnSpread[] {
  if (rows.rows === 0) return [];
  const ranges = featureRanges(plan);
  return featureNames(plan).map((name, column) => {
    const { low: planLow, high: planHigh } = ranges[column]!;
    const spread = { low: Infinity, high: -Infinity, outside: 0 };
    for (let row = 0; row < rows.rows; row++) {
      const value = rows.features[row * rows.inputs + column]!;
      spread.low = Math.min(spread.low, value);
      spread.high = Math.max(spread.high, value);
      if (value < planLow || value > planHigh) spread.outside++;
    }
    return { name, ...spread, planLow, planHigh };
  });
}
