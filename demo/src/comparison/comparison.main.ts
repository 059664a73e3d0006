import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { importSite } from '@coferment/client-agent';
import { describeModel, type Normalisation, parsePlan, type Plan } from '@coferment/consortium';
import { loadCrypto } from '@coferment/crypto';
import { buildDataset, EXPORTED_FILES, initBackend } from '@coferment/learning';
import { runBaselines } from '../baseline/index.js';
import { DemoError } from '../errors/index.js';
import type { Comparison } from './comparison.result.js';
import { comparisonTaskSchema } from './comparison.task.js';

const BYTES_PER_WEIGHT = 4;

const task = comparisonTaskSchema.parse(JSON.parse(process.argv[2] ?? '{}'));
await loadCrypto();
await initBackend('wasm');
const plan = parsePlan(await readFile(task.planFile, 'utf8'));
const sites = [];
for (const { id, mappingFile, recordsFolder } of task.sites) {
  const { batches } = await importSite({ mappingFile, dataDir: recordsFolder });
  sites.push({ id, dataset: buildDataset(plan, batches) });
}
const result = await runBaselines({
  plan,
  sites,
  rounds: task.rounds,
  seed: task.seed,
  federatedModel: await readExportedModel(plan, task.modelFolder),
  federatedNormalisation: rawUnits(plan),
});
const comparison: Comparison = {
  sites: result.sites.map(({ id, localOnly, ownTest }) => ({ id, localOnly, ownTest })),
  metric: { name: plan.evaluation.metric, unit: task.unit, ...result.overall },
};
process.stdout.write(`${JSON.stringify(comparison)}\n`);

/** The model as a site would use it: from the exported files, not from anything that only the demo sees. */
async function readExportedModel(plan: Plan, folder: string): Promise<Float64Array> {
  const bytes = await readFile(join(folder, EXPORTED_FILES.weights));
  const { parameters } = describeModel(plan);
  if (bytes.length !== parameters * BYTES_PER_WEIGHT) {
    throw new DemoError(
      'bad-answer',
      `The exported model has ${bytes.length} bytes of weights; ${parameters} parameters have ${parameters * BYTES_PER_WEIGHT}.`,
    );
  }
  return Float64Array.from({ length: parameters }, (_, index) => bytes.readFloatLE(index * BYTES_PER_WEIGHT));
}

/** The exported model takes raw inputs: means and deviations are folded into its weights. */
function rawUnits(plan: Plan): Normalisation {
  const { inputs } = describeModel(plan);
  return {
    count: 1,
    mean: Array.from({ length: inputs }, () => 0),
    std: Array.from({ length: inputs }, () => 1),
    targetMean: 0,
    targetStd: 1,
  };
}
