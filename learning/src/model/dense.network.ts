import { describeModel, type LayerDescription, type ModelDescription, type Plan } from '@coferment/consortium';
import * as tf from '@tensorflow/tfjs';
import { backendInUse } from '../backend/tensorflow.backend.js';
import { LearningError } from '../errors/learning.error.js';

/**
 * The network that a plan declares, with weights in TensorFlow.js. Built from plain operations, not from tf.layers: nothing is initialised,
 * named or shuffled behind the plan's back. Dispose it.
 */
export class DenseNetwork {
  readonly description: ModelDescription;
  readonly #weights: tf.Variable[];

  /** @throws LearningError 'backend-not-started', 'shape-mismatch' */
  constructor(
    plan: Plan,
    values: Float64Array,
    readonly trainable: boolean,
  ) {
    backendInUse();
    this.description = describeModel(plan);
    if (values.length !== this.description.parameters) {
      throw new LearningError(
        'shape-mismatch',
        `The model of this plan has ${this.description.parameters} values, not ${values.length}; take the model of this run.`,
      );
    }
    let offset = 0;
    this.#weights = this.description.tensors.map(({ shape, size }) => {
      const part = Float32Array.from(values.subarray(offset, offset + size));
      offset += size;
      return tf.tidy(() => tf.variable(tf.tensor(part, [...shape]), trainable));
    });
  }

  get weights(): readonly tf.Variable[] {
    return this.#weights;
  }

  /** Normalised inputs [rows, inputs] to normalised outputs [rows, 1]. Call it inside tf.tidy. */
  forward(inputs: tf.Tensor2D): tf.Tensor2D {
    return this.description.layers.reduce<tf.Tensor2D>((values, layer, index) => {
      const kernel = this.#weights[2 * index] as tf.Variable<tf.Rank.R2>;
      const bias = this.#weights[2 * index + 1]!;
      return activate(layer, tf.add(tf.matMul(values, kernel), bias));
    }, inputs);
  }

  /** The weights as the model vector of the plan. */
  values(): Float64Array {
    const values = new Float64Array(this.description.parameters);
    let offset = 0;
    for (const weight of this.#weights) {
      values.set(weight.dataSync(), offset);
      offset += weight.size;
    }
    return values;
  }

  dispose(): void {
    tf.dispose(this.#weights);
  }
}

function activate(layer: LayerDescription, values: tf.Tensor2D): tf.Tensor2D {
  switch (layer.activation) {
    case 'linear':
      return values;
    case 'relu':
      return tf.relu(values);
    case 'tanh':
      return tf.tanh(values);
    case 'sigmoid':
      return tf.sigmoid(values);
  }
}
