import { z } from 'zod';
import { DURATION_FORM, formatDuration, parseDuration } from './duration.value.js';
import { nearestName } from './nearest-name.rule.js';
import { VARIABLE_NAMES } from './variables.js';

export const SUMMARIES = ['last', 'mean', 'slope'] as const;
export const PHASES = ['inoculation', 'batch', 'fed-batch', 'induction', 'harvest'] as const;
export const DERIVED_COLUMNS = ['time_since_phase'] as const;

/** End of a sentence about an unknown name: the known name it is closest to, if any, and all known names. */
export function suggestion(unknown: string, known: readonly string[]): string {
  const nearest = nearestName(unknown, known);
  return nearest === undefined ? `known: ${known.join(', ')}` : `did you mean "${nearest}"? Known: ${known.join(', ')}`;
}

const whole = (low: number, high: number) => {
  const error = `must be a whole number from ${low} to ${high}`;
  return z.int({ error }).min(low, { error }).max(high, { error });
};
const real = (low: number, high: number) => {
  const error = `must be a number from ${low} to ${high}`;
  return z.number({ error }).min(low, { error }).max(high, { error });
};
const positive = (high: number) => {
  const error = `must be a number above 0, at most ${high}`;
  return z.number({ error }).gt(0, { error }).max(high, { error });
};
const oneOf = <const T extends readonly [string, ...string[]]>(names: T) =>
  z.enum(names, {
    error: (issue) =>
      typeof issue.input === 'string' ? `must be one of ${names.join(', ')}` : `must be one of the words ${names.join(', ')}`,
  });
const list = <T extends z.ZodType>(item: T, low: number, high: number, of: string) => {
  const error = `must be a list of ${low} to ${high} ${of}`;
  return z.array(item, { error }).min(low, { error }).max(high, { error });
};
const orWord = <const W extends string, T extends z.ZodType>(word: W, other: T, error: string) =>
  z.union([z.literal(word), other], { error });
const mustBeNull = (error: string) => z.null({ error }).default(null);
const matching = (pattern: RegExp, error: string) => z.string({ error }).regex(pattern, { error });

const duration = z.codec(matching(/^/, DURATION_FORM), z.number(), {
  decode: (text, context) => {
    const ms = parseDuration(text);
    if (ms !== undefined) return ms;
    context.issues.push({ code: 'custom', input: text, message: DURATION_FORM });
    return z.NEVER;
  },
  encode: (ms) => formatDuration(ms),
});

const section = <T extends z.ZodRawShape>(shape: T) =>
  z.strictObject(shape, {
    error: (issue) => {
      if (issue.code !== 'unrecognized_keys') return `must be a section with the keys ${Object.keys(shape).join(', ')}`;
      return issue.keys.map((key) => `unknown key "${key}"; ${suggestion(key, Object.keys(shape))}`).join('; ');
    },
  });

const variable = z.enum(VARIABLE_NAMES as [string, ...string[]], {
  error: (issue) => `is not a variable of the standard; ${suggestion(String(issue.input), VARIABLE_NAMES)}`,
});
const columnName = matching(
  /^[a-z0-9_.]{1,80}$/,
  'must be the name of an input column, such as time_since_phase, temperature or temperature.mean',
);
const interval = z.tuple([real(-1e9, 1e9), real(-1e9, 1e9)], { error: 'must be a pair [low, high]' });

const features = z.union([oneOf(DERIVED_COLUMNS), z.strictObject({ product: z.tuple([columnName, columnName]) })], {
  error: `must be one of ${DERIVED_COLUMNS.join(', ')}, or { product: [column, column] }`,
});

const hiddenLayers = list(whole(1, 4096), 1, 8, 'layer sizes');
const model = z.discriminatedUnion(
  'kind',
  [
    section({ kind: z.literal('linear') }),
    section({
      kind: z.literal('mlp'),
      hidden: hiddenLayers.default([32, 16]),
      activation: oneOf(['relu', 'tanh', 'sigmoid']).default('relu'),
    }),
  ],
  { error: 'must be a model with a kind: linear or mlp' },
);

const batchPattern = matching(/^.{1,200}$/, "must be a pattern of batch ids such as '*_R4', at most 200 characters");
const holdout = z.union(
  [z.strictObject({ batches: list(batchPattern, 1, 100, 'batch id patterns') }), z.strictObject({ byBatch: positive(0.5) })],
  { error: "must be { batches: ['*_R4'] } (patterns of batch ids) or { byBatch: 0.2 } (a fraction above 0, at most 0.5)" },
);

/** The plan file, version 1. Input: the document as written. Output: every default filled in and lengths of time in milliseconds. */
export const planSchema = section({
  schema: z.literal(1, { error: 'must be 1, the only version of the plan format so far' }),
  plan: matching(/^[a-z0-9][a-z0-9-]{0,63}$/, 'must be a name of 1 to 64 lower-case letters, digits and hyphens'),
  task: oneOf(['regression']).default('regression'),
  sample: section({
    at: oneOf(['grid', 'samples']).default('grid'),
    every: duration.prefault('1 h'),
    window: duration.prefault('6 h'),
    of: list(variable, 1, 100, 'variables'),
    summarise: list(oneOf(SUMMARIES), 1, SUMMARIES.length, 'summaries').default([...SUMMARIES]),
    phase: oneOf(PHASES).nullable().default(null),
    ranges: z.record(z.string(), interval, { error: 'must map variables to pairs [low, high]' }).default({}),
  }),
  target: section({ variable, at: oneOf(['now']).default('now') }),
  features: list(features, 0, 200, 'derived columns').default([]),
  normalisation: oneOf(['federated', 'none']).default('federated'),
  model,
  training: section({
    epochs: whole(1, 1000).default(1),
    batchSize: whole(1, 65_536).default(32),
    optimizer: oneOf(['sgd', 'adam']).default('adam'),
    learningRate: positive(10).default(0.001),
    proximal: real(0, 0).default(0),
    initialRange: positive(1e6).nullable().default(null),
  }).prefault({}),
  strategy: section({ kind: oneOf(['fedavg']).default('fedavg') }).prefault({}),
  personalisation: section({
    finetune: whole(0, 0).default(0),
    localLayers: list(matching(/^/, 'must be the name of a layer'), 0, 0, 'layers').default([]),
  }).prefault({}),
  rounds: whole(1, 10_000).default(20),
  quorum: section({
    minContributors: whole(2, 1000).nullable().default(null),
    waitFor: orWord('all', whole(1, 1000), 'must be "all" or a whole number of sites from 1 to 1000').default('all'),
    deadline: duration.prefault('10 min'),
    absentAfterPolls: whole(1, 1000).default(3),
    onDeadline: oneOf(['proceed-with-quorum', 'wait', 'abandon']).default('proceed-with-quorum'),
  }).prefault({}),
  weighting: section({
    by: oneOf(['samples', 'equal']).default('samples'),
    cap: orWord('auto', whole(1, 2 ** 30), `must be "auto" or a whole number from 1 to ${2 ** 30}`).default('auto'),
  }).prefault({}),
  quantisation: section({
    valueBits: orWord('auto', whole(4, 32), 'must be "auto" or a whole number of bits from 4 to 32').default('auto'),
  }).prefault({}),
  privacy: section({
    keyHolders: whole(2, 12).nullable().default(null),
    threshold: whole(2, 12).nullable().default(null),
    collusionBound: whole(0, 1000).nullable().default(null),
    clipNorm: mustBeNull('must be null'),
    differentialPrivacy: mustBeNull('must be null'),
  }).prefault({}),
  evaluation: section({
    metric: oneOf(['rmse']).default('rmse'),
    holdout: holdout.default({ byBatch: 0.2 }),
    benchmark: mustBeNull('must be null'),
  }).prefault({}),
  stopping: section({ patience: whole(1, 10_000).nullable().default(null) }).prefault({}),
  retention: section({ ciphertexts: duration.prefault('30 d') }).prefault({}),
  seed: whole(0, Number.MAX_SAFE_INTEGER).default(0),
});

/** A validated plan: what every member agreed to compute. Lengths of time are milliseconds. Never change one; parse another. */
export type Plan = z.output<typeof planSchema>;
