import { join } from 'node:path';
import type { Plan } from '@coferment/consortium';
import { type BackendName, initBackend, predictionInputs, predictRows } from '@coferment/learning';
import { AgentError } from '../agent.error.js';
import { ObjectCache } from '../connection/object.cache.js';
import { importSite } from '../data/index.js';
import { Journal } from '../journal/journal.js';
import { type KeptModel, readModelFile } from '../models/model.file.js';
import { readPlan } from '../policy/plan.policy.js';

/** A model file, or the latest model of a run as this site computed it. */
export type ModelSource = { file: string } | { folder: string; run: string };

export interface PredictInput {
  source: ModelSource;
  mappingFile: string;
  recordsFolder: string;
  backend: BackendName;
}

export interface Prediction {
  batch: string;
  timeH: number;
  value: number;
}

export interface PredictionResult {
  run: string;
  plan: Plan;
  /** Training rounds behind the model. */
  round: number;
  predictions: Prediction[];
}

/** Applies a model to batches of this site. Needs no coordinator and no keys. @throws AgentError 'no-model' and those of the model file */
export async function predictBatches(input: PredictInput): Promise<PredictionResult> {
  const { run, plan, round, values: model, normalisation } = modelOf(input.source);
  await initBackend(input.backend);
  const { batches } = await importSite({ mappingFile: input.mappingFile, dataDir: input.recordsFolder });
  const predictions = batches.flatMap((batch) => {
    const { timesH, features } = predictionInputs(plan, batch);
    if (timesH.length === 0) return [];
    const values = predictRows(plan, model, features, normalisation);
    return timesH.map((timeH, row) => ({ batch: batch.id, timeH, value: values[row] ?? Number.NaN }));
  });
  return { run, plan, round, predictions };
}

function modelOf(source: ModelSource): Omit<KeptModel, 'digest'> {
  return 'file' in source ? readModelFile(source.file) : latestModel(source.folder, source.run);
}

function latestModel(folder: string, wanted: string): Omit<KeptModel, 'digest'> {
  const journal = Journal.open(join(folder, 'journal.sqlite'));
  try {
    const run = journal.runs.get(wanted);
    const { state } = journal.models.progress(wanted);
    const bytes = run === undefined ? undefined : new ObjectCache(join(folder, 'objects')).read(run.plan);
    if (run === undefined || state === null || bytes === undefined) {
      const known = journal.runs.all().map((record) => record.run);
      throw new AgentError(
        'no-model',
        `This site has no model of run "${wanted}". Runs known here: ${known.length === 0 ? 'none' : known.join(', ')}.`,
      );
    }
    const { model: values, normalisation, round } = state;
    return { run: wanted, plan: readPlan(bytes), round, values, normalisation };
  } finally {
    journal.close();
  }
}

/** RFC 4180 with one header line. */
export function predictionCsv({ plan, predictions }: PredictionResult): string {
  const quoted = (text: string) => (/[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);
  const lines = predictions.map(({ batch, timeH, value }) => `${quoted(batch)},${timeH},${value}`);
  return [`batch,time_h,predicted_${plan.target.variable}`, ...lines, ''].join('\r\n');
}
