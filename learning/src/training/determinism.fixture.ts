import { digest } from '@coferment/crypto';
import { initialModel, modelBytes, normalisationFromStatistics } from '@coferment/consortium';
import { type BackendName, initBackend } from '../backend/tensorflow.backend.js';
import { buildDataset } from '../dataset/dataset.builder.js';
import { localStatistics } from '../dataset/statistics.rule.js';
import { trainLocal } from './local.training.js';
import { toyBatches, toyPlan } from './toy-problem.fixture.js';

/** One training on the toy problem: a digest over every bit of the update. */
export async function updateDigest(backend: BackendName, seed: number): Promise<string> {
  await initBackend(backend);
  const plan = toyPlan();
  const dataset = buildDataset(plan, toyBatches(10));
  const normalisation = normalisationFromStatistics(plan, { exact: localStatistics(plan, dataset.train), addends: 1 });
  const update = await trainLocal({
    plan,
    modelIn: initialModel(plan, 1, ['alder', 'birch']),
    dataset,
    normalisation,
    seed: new Uint8Array(32).fill(seed),
  });
  return digest('update', modelBytes(update.delta), modelBytes(Float64Array.of(update.loss, update.metrics.sumSquaredError)));
}
