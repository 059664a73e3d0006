import { setImmediate as nextTurn } from 'node:timers/promises';
import { describeModel, modelDigest, type Normalisation, type Plan, planDigest } from '@coferment/consortium';
import { xof } from '@coferment/crypto';
import * as tf from '@tensorflow/tfjs';
import type { Dataset } from '../dataset/dataset.builder.js';
import { LearningError } from '../errors/learning.error.js';
import { DenseNetwork } from '../model/dense.network.js';
import { evaluateModel, type Metrics } from '../model/evaluation.js';
import { normaliseFeatures, normaliseTargets } from '../model/normalised.rows.js';
import { shuffledOrder } from './row.shuffle.js';

export interface LocalTraining {
  readonly plan: Plan;
  /** Model of the round, 32-bit floats held as doubles. */
  readonly modelIn: Float64Array;
  readonly dataset: Dataset;
  readonly normalisation: Normalisation;
  /** The site's own secret; it decides only the order of the rows. */
  readonly seed: Uint8Array;
}

export interface LocalUpdate {
  /** Trained model minus the incoming one. */
  readonly delta: Float64Array;
  /** Training rows, before the plan's weight rule and cap. */
  readonly weight: number;
  /** Of the INCOMING model on the site's holdout, in target units. */
  readonly metrics: Metrics;
  /** Mean over the rows of the squared error in normalised target units, during the last epoch. */
  readonly loss: number;
}

/**
 * Trains `plan.training.epochs` epochs from the incoming model. A function of its inputs: run twice, in any process, on one backend, it gives the same
 * bits, so a site can reproduce what it contributed. The optimizer starts fresh, since its state would be a part of the update that nobody sees.
 * Gives way to the event loop between minibatches, for an agent must keep polling.
 * @throws LearningError 'no-rows', 'shape-mismatch', 'not-finite', 'backend-not-started'
 */
export async function trainLocal({ plan, modelIn, dataset, normalisation, seed }: LocalTraining): Promise<LocalUpdate> {
  const { train, holdout } = dataset;
  if (train.rows === 0) {
    throw new LearningError('no-rows', 'No training row is left after windowing; look at the dropped rows of `check` and at the plan.');
  }
  const metrics = evaluateModel(plan, modelIn, holdout, normalisation);
  const { inputs } = train;
  const features = normaliseFeatures(train.features, inputs, normalisation);
  const targets = normaliseTargets(train, normalisation);
  const { epochs, batchSize } = plan.training;
  const stream = xof('local-training', seed, planDigest(plan), modelDigest(describeModel(plan), modelIn), dataset.manifestDigest);
  const network = new DenseNetwork(plan, modelIn, true);
  const optimizer = startOptimizer(plan);
  try {
    let loss = 0;
    for (let epoch = 0; epoch < epochs; epoch++) {
      const order = shuffledOrder(train.rows, stream);
      let squares = 0;
      for (let from = 0; from < order.length; from += batchSize) {
        const chosen = order.subarray(from, from + batchSize);
        squares += trainStep(network, optimizer, gather(features, chosen, inputs), gather(targets, chosen, 1), inputs) * chosen.length;
        await nextTurn();
      }
      loss = squares / train.rows;
    }
    const trained = network.values();
    if (!Number.isFinite(loss) || !trained.every(Number.isFinite)) {
      throw new LearningError(
        'not-finite',
        `Training diverged (loss ${loss}); lower training.learningRate of the plan or check the data for extreme values.`,
      );
    }
    return { delta: trained.map((value, index) => value - modelIn[index]!), weight: train.rows, metrics, loss };
  } finally {
    network.dispose();
    optimizer.dispose();
  }
}

/** One minibatch: mean squared error of the normalised target; returns it. */
function trainStep(network: DenseNetwork, optimizer: tf.Optimizer, features: Float32Array, targets: Float32Array, inputs: number): number {
  return tf.tidy(() => {
    const x = tf.tensor2d(features, [targets.length, inputs]);
    const y = tf.tensor2d(targets, [targets.length, 1]);
    const loss = (): tf.Scalar => tf.mean(tf.square(tf.sub(network.forward(x), y)));
    return optimizer.minimize(loss, true, [...network.weights])!.dataSync()[0]!;
  });
}

function startOptimizer({ training }: Plan): tf.Optimizer {
  switch (training.optimizer) {
    case 'adam':
      return tf.train.adam(training.learningRate);
    case 'sgd':
      return tf.train.sgd(training.learningRate);
  }
}

function gather(values: Float32Array, rows: Int32Array, width: number): Float32Array {
  const gathered = new Float32Array(rows.length * width);
  rows.forEach((row, index) => gathered.set(values.subarray(row * width, (row + 1) * width), index * width));
  return gathered;
}
