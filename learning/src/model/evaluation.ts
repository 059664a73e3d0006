import type { Normalisation, Plan } from '@coferment/consortium';
import * as tf from '@tensorflow/tfjs';
import type { Rows } from '../dataset/dataset.builder.js';
import { LearningError } from '../errors/learning.error.js';
import { DenseNetwork } from './dense.network.js';
import { normaliseFeatures } from './normalised.rows.js';

/** Rows of one forward pass; bounds the memory of a long dataset. */
const CHUNK_ROWS = 4096;

/** Errors of a model on rows, in target units. */
export interface Metrics {
  readonly count: number;
  readonly sumSquaredError: number;
  /** Undefined without rows. */
  readonly rmse: number | undefined;
}

/**
 * Predictions in target units, one per row of raw inputs (rows × inputs of the plan, row by row).
 * @throws LearningError 'backend-not-started', 'shape-mismatch', 'not-finite'
 */
export function predictRows(plan: Plan, model: Float64Array, features: Float32Array, normalisation: Normalisation): Float64Array {
  const network = new DenseNetwork(plan, model, false);
  try {
    const { inputs } = network.description;
    const normalised = normaliseFeatures(features, inputs, normalisation);
    const rows = features.length / inputs;
    const predictions = new Float64Array(rows);
    for (let from = 0; from < rows; from += CHUNK_ROWS) {
      const to = Math.min(rows, from + CHUNK_ROWS);
      const outputs = tf.tidy(() =>
        network.forward(tf.tensor2d(normalised.subarray(from * inputs, to * inputs), [to - from, inputs])).dataSync(),
      );
      outputs.forEach((output, index) => (predictions[from + index] = output * normalisation.targetStd + normalisation.targetMean));
    }
    const wrong = predictions.findIndex((value) => !Number.isFinite(value));
    if (wrong !== -1)
      throw new LearningError(
        'not-finite',
        `The prediction of row ${wrong} is ${predictions[wrong]}; the model or that row's inputs hold no usable numbers.`,
      );
    return predictions;
  } finally {
    network.dispose();
  }
}

/** @throws as {@link predictRows} */
export function evaluateModel(plan: Plan, model: Float64Array, rows: Rows, normalisation: Normalisation): Metrics {
  const predictions = predictRows(plan, model, rows.features, normalisation);
  let sumSquaredError = 0;
  predictions.forEach((prediction, row) => (sumSquaredError += (prediction - rows.targets[row]!) ** 2));
  return { count: rows.rows, sumSquaredError, rmse: rows.rows === 0 ? undefined : Math.sqrt(sumSquaredError / rows.rows) };
}
