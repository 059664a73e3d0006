import { initialModel, normalisationFromStatistics } from '@coferment/consortium';
import * as tf from '@tensorflow/tfjs';
import { beforeAll, describe, expect, it } from 'vitest';
import { initBackend } from '../backend/tensorflow.backend.js';
import { buildDataset } from '../dataset/dataset.builder.js';
import { localStatistics } from '../dataset/statistics.rule.js';
import { evaluateModel, predictRows } from '../model/evaluation.js';
import { updateDigest } from './determinism.fixture.js';
import { trainLocal } from './local.training.js';
import { toyBatches, toyPlan } from './toy-problem.fixture.js';

const seed = new Uint8Array(32).fill(1);

function problem(changes: Record<string, unknown> = {}) {
  const plan = toyPlan(changes);
  const dataset = buildDataset(plan, toyBatches(10));
  const normalisation = normalisationFromStatistics(plan, { exact: localStatistics(plan, dataset.train), addends: 1 });
  return { plan, dataset, normalisation, modelIn: initialModel(plan, 1, ['alder', 'birch']), seed };
}

beforeAll(async () => {
  await initBackend('wasm');
});

describe('training at a site', () => {
  it.each(['adam', 'sgd'] as const)('learns a toy problem with %s', async (optimizer) => {
    const learningRate = optimizer === 'adam' ? 0.02 : 0.05;
    const input = problem({ training: { epochs: 60, batchSize: 8, learningRate, optimizer } });
    const { delta, metrics, loss, weight } = await trainLocal(input);
    const after = evaluateModel(
      input.plan,
      input.modelIn.map((value, index) => Math.fround(value + delta[index]!)),
      input.dataset.holdout,
      input.normalisation,
    );
    expect(weight).toBe(input.dataset.train.rows);
    expect(metrics.count).toBe(input.dataset.holdout.rows);
    expect(after.rmse!).toBeLessThan(0.1 * metrics.rmse!);
    expect(loss).toBeLessThan(0.02);
  });

  it.each(['tanh', 'sigmoid'] as const)('falls with %s, and with a linear model', async (activation) => {
    for (const model of [{ kind: 'mlp', hidden: [6, 4], activation }, { kind: 'linear' }]) {
      const once = await trainLocal(problem({ model, training: { epochs: 1, batchSize: 8, learningRate: 0.01 } }));
      const often = await trainLocal(problem({ model, training: { epochs: 20, batchSize: 8, learningRate: 0.01 } }));
      expect(often.loss).toBeLessThan(once.loss);
    }
  });

  it('takes the step that the gradient of the squared error gives', async () => {
    // One epoch, one batch, plain descent, one linear unit: w − rate · 2/n · Xᵀ(Xw + b − y), computed here in doubles.
    const input = problem({ model: { kind: 'linear' }, training: { epochs: 1, batchSize: 4096, learningRate: 0.05, optimizer: 'sgd' } });
    const { train } = input.dataset;
    const { mean, std, targetMean, targetStd } = input.normalisation;
    const gradient = new Float64Array(train.inputs + 1);
    for (let row = 0; row < train.rows; row++) {
      const x = Array.from(
        { length: train.inputs },
        (_, column) => (train.features[row * train.inputs + column]! - mean[column]!) / std[column]!,
      );
      const output = x.reduce((total, value, column) => total + value * input.modelIn[column]!, input.modelIn[train.inputs]!);
      const error = output - (train.targets[row]! - targetMean) / targetStd;
      [...x, 1].forEach((value, index) => (gradient[index]! += (2 / train.rows) * error * value));
    }
    const { delta } = await trainLocal(input);
    delta.forEach((value, index) => expect(value).toBeCloseTo(-0.05 * gradient[index]!, 5));
  });

  it('gives the same bits again, and other bits for another seed', async () => {
    const first = await updateDigest('wasm', 1);
    expect(await updateDigest('wasm', 1)).toBe(first);
    expect(await updateDigest('wasm', 2)).not.toBe(first);
  });

  it('leaves no tensor behind', async () => {
    const before = tf.memory().numTensors;
    await trainLocal(problem());
    expect(tf.memory().numTensors).toBe(before);
  });

  it('lets the process do other things between minibatches', async () => {
    let turns = 0;
    const timer = setInterval(() => turns++, 1);
    await trainLocal(problem({ training: { epochs: 20, batchSize: 8, learningRate: 0.01 } }));
    clearInterval(timer);
    expect(turns).toBeGreaterThan(3);
  });

  it('says so when it diverges', async () => {
    const input = problem({ model: { kind: 'linear' }, training: { epochs: 200, batchSize: 8, learningRate: 10, optimizer: 'sgd' } });
    await expect(trainLocal(input)).rejects.toThrow(/lower training.learningRate/);
  });

  it('refuses a dataset without rows and a model of another plan', async () => {
    const input = problem();
    await expect(trainLocal({ ...input, dataset: buildDataset(input.plan, []) })).rejects.toMatchObject({ code: 'no-rows' });
    expect(() => predictRows(input.plan, input.modelIn.subarray(1), input.dataset.train.features, input.normalisation)).toThrow(
      /73|values, not/,
    );
    const short = { ...input.normalisation, mean: [0] };
    expect(() => predictRows(input.plan, input.modelIn, input.dataset.train.features, short)).toThrow(/cannot be normalised/);
  });
});
