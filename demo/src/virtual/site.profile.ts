import type { BatchScale } from '@coferment/learning';
import type { Strain } from './kinetics.model.js';
import type { Vessel } from './oxygen-transfer.model.js';
import type { Recipe } from './recipe.model.js';
import type { Instruments } from './sensor.model.js';
import type { RecordStyle } from './record.style.js';

/** The laboratory of a site. */
export interface Sampling {
  readonly everyH: number;
  /** Samples are late or early by up to this, h. */
  readonly jitterH: number;
  /** Share of samples whose product assay was not done. */
  readonly missingProduct: number;
  /** Relative standard deviation of one assay, and the calibration error of the site's assay. */
  readonly assaySpread: number;
  readonly assayGain: number;
}

/** How often things go wrong, as a share of batches. */
export interface FaultHabits {
  readonly contamination: number;
  readonly oxygenProbeDrift: number;
  readonly feedInterruption: number;
}

/** How far the recipe moves from batch to batch: half-widths of uniform spreads around the recipe (absolute, or relative where named so). */
export interface RecipeSpread {
  readonly inductionTemperature: number;
  readonly inductionFeedRelative: number;
  readonly inductionAfterFeed: number;
  readonly productionHours: number;
  readonly batchGlucose: number;
}

/** One virtual site: everything that makes its records unlike those of the others. */
export interface SiteProfile {
  readonly id: string;
  readonly description: string;
  readonly scale: BatchScale;
  readonly batches: number;
  readonly strain: Strain;
  readonly vessel: Vessel;
  readonly recipe: Recipe;
  readonly spread: RecipeSpread;
  readonly instruments: Instruments;
  readonly sampling: Sampling;
  readonly faults: FaultHabits;
  readonly records: RecordStyle;
}
