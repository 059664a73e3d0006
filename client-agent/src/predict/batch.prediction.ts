import { join } from 'node:path';
import type { Plan } from '@coferment/consortium';
import { type BackendName, initBackend, predictionInputs, predictRows } from '@coferment/learning';
import { AgentError } from '../agent.error.js';
import { ObjectCache } from '../connection/object.cache.js';
import { importSite } from '../data/index.js';
import { Journal } from '../journal/journal.js';
import { readPlan } from '../policy/plan.policy.js';

export interface PredictInput {
  folder: string;
  run: string;
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
  plan: Plan;
  /** Training rounds behind the model. */
  round: number;
  predictions: Prediction[];
}

/** Applies the latest model of a run, as this site computed it, to batches of this site. Needs no coordinator and no keys. */
export async function predictBatches(input: PredictInput): Promise<PredictionResult> {
  const journal = Journal.open(join(input.folder, 'journal.sqlite'));
  try {
    const run = journal.runs.get(input.run);
    const { state } = journal.models.progress(input.run);
    const bytes = run === undefined ? undefined : new ObjectCache(join(input.folder, 'objects')).read(run.plan);
    if (run === undefined || state === null || bytes === undefined) {
      const known = journal.runs.all().map((record) => record.run);
      throw new AgentError(
        'no-model',
        `This site has no model of run "${input.run}". Runs known here: ${known.length === 0 ? 'none' : known.join(', ')}.`,
      );
    }
    await initBackend(input.backend);
    const plan = readPlan(bytes);
    const { batches } = await importSite({ mappingFile: input.mappingFile, dataDir: input.recordsFolder });
    const predictions = batches.flatMap((batch) => {
      const { timesH, features } = predictionInputs(plan, batch);
      if (timesH.length === 0) return [];
      const values = predictRows(plan, state.model, features, state.normalisation);
      return timesH.map((timeH, row) => ({ batch: batch.id, timeH, value: values[row] ?? Number.NaN }));
    });
    return { plan, round: state.round, predictions };
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
