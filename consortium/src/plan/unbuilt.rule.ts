import { ConsortiumError } from '../errors/index.js';

interface PlannedChoice {
  readonly path: readonly string[];
  /** What this version can do, as the message says it. */
  readonly built: string;
  /** True for a value the format knows and this version cannot do yet. A value nobody knows is left to the schema. */
  readonly unbuilt: (value: unknown) => boolean;
}

const oneOf =
  (...names: string[]) =>
  (value: unknown) =>
    names.includes(value as string);
const present = (value: unknown) => value !== undefined && value !== null;

/**
 * A plan of a later version must not run with parts of it silently ignored, so the whole format is known here and what is missing is refused by name.
 */
const PLANNED: readonly PlannedChoice[] = [
  { path: ['task'], built: 'regression', unbuilt: oneOf('binary', 'multiclass', 'forecast') },
  { path: ['rows'], built: 'sample (windows of a time series)', unbuilt: present },
  {
    path: ['target', 'at'],
    built: 'now',
    unbuilt: (value) => value === 'harvest' || (typeof value === 'string' && /^\+ ?\d/.test(value)),
  },
  { path: ['normalisation'], built: 'federated, none', unbuilt: oneOf('per-site') },
  { path: ['model', 'kind'], built: 'linear, mlp', unbuilt: oneOf('gru', 'lstm', 'conv') },
  {
    path: ['strategy', 'kind'],
    built: 'fedavg',
    unbuilt: oneOf('fedavgm', 'fedprox', 'fedadam', 'fedyogi', 'fedadagrad', 'scaffold'),
  },
  { path: ['training', 'proximal'], built: '0', unbuilt: (value) => typeof value === 'number' && value > 0 },
  { path: ['personalisation', 'finetune'], built: '0', unbuilt: (value) => typeof value === 'number' && value > 0 },
  { path: ['personalisation', 'localLayers'], built: '[]', unbuilt: (value) => Array.isArray(value) && value.length > 0 },
  { path: ['privacy', 'clipNorm'], built: 'null', unbuilt: present },
  { path: ['privacy', 'differentialPrivacy'], built: 'null', unbuilt: present },
  { path: ['evaluation', 'metric'], built: 'rmse', unbuilt: oneOf('mae', 'r2', 'accuracy', 'auc', 'f1') },
  { path: ['evaluation', 'benchmark'], built: 'null', unbuilt: present },
];

/** @throws ConsortiumError 'not-built-yet' naming every such value of the plan and what this version has instead. */
export function refuseUnbuilt(document: unknown): void {
  const refusals: string[] = [];
  for (const { path, built, unbuilt } of PLANNED) {
    let value = document;
    for (const key of path) value = typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[key] : undefined;
    if (unbuilt(value)) refusals.push(`${path.join('.')} = ${JSON.stringify(value)} (this version has: ${built})`);
  }
  if (refusals.length > 0) {
    throw new ConsortiumError('not-built-yet', `not built yet in this version: ${refusals.join('; ')}. Change the plan to what is built.`);
  }
}
