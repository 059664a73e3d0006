/** Working volume class of a unit (ISA-88 leaves the names free; these three are the standard's). */
export type BatchScale = 'bench' | 'pilot' | 'production';

/** One online variable of one batch, in the unit of the standard. `timeH` is strictly increasing; both arrays have the same length. */
export interface Series {
  /** Hours since the start of the batch. */
  readonly timeH: Float64Array;
  readonly value: Float64Array;
}

/** One offline sample: what the laboratory measured at one instant. A quantity that was not measured is absent, never NaN. */
export interface OfflineSample {
  /** Hours since the start of the batch. */
  readonly timeH: number;
  readonly values: Readonly<Record<string, number>>;
}

/**
 * One batch as a site holds it after import: canonical variable names, units of the standard, hours since batch start.
 * It never leaves the site; only rows windowed from it reach the training loop of the same process.
 */
export interface SiteBatch {
  /** Unique within the site. */
  readonly id: string;
  readonly scale: BatchScale;
  /** Hours since batch start at which each phase begins, by phase name (`inoculation`, `batch`, `fed-batch`, `induction`, `harvest`). */
  readonly phaseStarts: Readonly<Record<string, number>>;
  /** Online series by canonical variable name. */
  readonly series: Readonly<Record<string, Series>>;
  /** Offline samples in order of time. */
  readonly samples: readonly OfflineSample[];
}
