import type { Normalisation } from '@coferment/consortium';
import { LearningError } from '../errors/learning.error.js';
import type { Rows } from '../dataset/dataset.builder.js';

/** (value − mean) / std per column, computed in doubles and rounded once. @throws LearningError 'shape-mismatch' */
export function normaliseFeatures(features: Float32Array, inputs: number, { mean, std }: Normalisation): Float32Array {
  if (mean.length !== inputs || std.length !== inputs || features.length % inputs !== 0) {
    throw new LearningError(
      'shape-mismatch',
      `${features.length} values in rows of ${inputs} cannot be normalised with ${mean.length} means; use the normalisation of this plan's run.`,
    );
  }
  return features.map((value, index) => (value - mean[index % inputs]!) / std[index % inputs]!);
}

export function normaliseTargets(rows: Rows, { targetMean, targetStd }: Normalisation): Float32Array {
  return rows.targets.map((value) => (value - targetMean) / targetStd);
}
