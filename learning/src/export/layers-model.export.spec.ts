import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { initialModel, normalisationFromStatistics } from '@coferment/consortium';
import * as tf from '@tensorflow/tfjs';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { initBackend } from '../backend/tensorflow.backend.js';
import { buildDataset } from '../dataset/dataset.builder.js';
import { localStatistics } from '../dataset/statistics.rule.js';
import { predictRows } from '../model/evaluation.js';
import { toyBatches, toyPlan } from '../training/toy-problem.fixture.js';
import { EXPORTED_FILES, exportLayersModel } from './layers-model.export.js';

let dir: string;
beforeAll(async () => {
  await initBackend('wasm');
});
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'export-'));
});
afterEach(() => rm(dir, { recursive: true }));

describe('an exported model', () => {
  it.each([{ kind: 'linear' }, { kind: 'mlp', hidden: [8] }, { kind: 'mlp', hidden: [8, 5], activation: 'tanh' }])(
    'of %o, loaded by TensorFlow.js, predicts from raw inputs what the run predicts',
    async (model) => {
      const plan = toyPlan({ model });
      const { train } = buildDataset(plan, toyBatches(10));
      const normalisation = normalisationFromStatistics(plan, { exact: localStatistics(plan, train), addends: 1 });
      const values = initialModel(plan, 1, ['alder']);
      await exportLayersModel(plan, values, normalisation, dir);

      const topology = JSON.parse(await readFile(join(dir, EXPORTED_FILES.topology), 'utf8')) as {
        modelTopology: object;
        weightsManifest: { weights: tf.io.WeightsManifestEntry[] }[];
      };
      const weights = await readFile(join(dir, EXPORTED_FILES.weights));
      const loaded = await tf.loadLayersModel(
        tf.io.fromMemory({
          modelTopology: topology.modelTopology,
          weightSpecs: topology.weightsManifest[0]!.weights,
          weightData: new Uint8Array(weights).buffer,
        }),
      );
      const raw = (loaded.predict(tf.tensor2d(train.features, [train.rows, train.inputs])) as tf.Tensor).dataSync();
      predictRows(plan, values, train.features, normalisation).forEach((expected, row) => expect(raw[row]).toBeCloseTo(expected, 3));
    },
  );

  it('is the same bytes for the same model, and says what its columns are', async () => {
    const plan = toyPlan();
    const { train } = buildDataset(plan, toyBatches(10));
    const normalisation = normalisationFromStatistics(plan, { exact: localStatistics(plan, train), addends: 1 });
    const write = async (): Promise<Buffer[]> => {
      await exportLayersModel(plan, initialModel(plan, 1, ['alder']), normalisation, dir);
      return Promise.all(Object.values(EXPORTED_FILES).map((name) => readFile(join(dir, name))));
    };
    const first = await write();
    expect(await write()).toEqual(first);
    expect(JSON.parse(first[2]!.toString())).toMatchObject({
      inputs: expect.arrayContaining(['temperature.mean', 'time_since_phase']),
      target: { variable: 'product_concentration', unit: 'g/L' },
    });
  });
});
