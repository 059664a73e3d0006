import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  canonicalBytes,
  describeModel,
  digestSchema,
  featureNames,
  modelBytes,
  modelDigest,
  modelFromBytes,
  type Normalisation,
  type Plan,
  planBytes,
} from '@coferment/consortium';
import { z } from 'zod';
import { AgentError } from '../agent.error.js';
import { writeFileDurably } from '../keys/atomic.file.js';
import { readPlan } from '../policy/plan.policy.js';

/** A model with all that is needed to apply it. */
export interface KeptModel {
  run: string;
  plan: Plan;
  /** See `modelDigest`. */
  digest: string;
  /** Training rounds behind it. */
  round: number;
  values: Float64Array;
  normalisation: Normalisation;
}

const MODEL_FILE = 'coferment-model.json';

const number = z.number();
export const normalisationSchema = z.strictObject({
  count: number,
  mean: z.array(number).max(10_000),
  std: z.array(number).max(10_000),
  targetMean: number,
  targetStd: number,
});
const fileSchema = z.strictObject({
  schema: z.literal(1),
  run: z.string().max(40),
  plan: z.unknown(),
  model: digestSchema,
  round: z.number().int().min(0),
  normalisation: normalisationSchema,
  values: z.base64(),
});

/** In a folder, beside what other programs read. @returns the path */
export function writeModelFile(folder: string, { run, plan, digest, round, values, normalisation }: KeptModel): string {
  const path = join(folder, MODEL_FILE);
  const document: unknown = JSON.parse(new TextDecoder().decode(planBytes(plan)));
  const text = {
    schema: 1,
    run,
    plan: document,
    model: digest,
    round,
    normalisation,
    values: Buffer.from(modelBytes(values)).toString('base64'),
  };
  writeFileDurably(path, canonicalBytes(text));
  return path;
}

/** @throws AgentError 'missing-file', 'model-malformed', 'plan-malformed', 'model-mismatch' for values that are not those of its digest */
export function readModelFile(path: string): KeptModel {
  let raw: unknown;
  try {
    raw = JSON.parse(readFileSync(path, 'utf8'));
  } catch (error) {
    throw new AgentError(
      'missing-file',
      `The model ${path} cannot be read (${(error as Error).message}). Get it: coferment-agent models download RUN`,
    );
  }
  const parsed = fileSchema.safeParse(raw);
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    throw malformed(path, `"${issue?.path.join('.') ?? ''}" ${issue?.message ?? 'is malformed'}`);
  }
  const { run, model, round, normalisation, values } = parsed.data;
  const plan = readPlan(canonicalBytes(parsed.data.plan));
  requireNormalisation(plan, normalisation, (reason) => malformed(path, reason));
  const description = describeModel(plan);
  const found = modelFromBytes(description, Buffer.from(values, 'base64'));
  const digest = modelDigest(description, found);
  if (digest !== model)
    throw new AgentError(
      'model-mismatch',
      `The model ${path} was changed: it says ${model}, and its values are those of ${digest}. Get it again.`,
    );
  return { run, plan, digest, round, values: found, normalisation };
}

/** One mean and one spread for each input of the plan. */
export function requireNormalisation(plan: Plan, { mean, std }: Normalisation, refusal: (reason: string) => AgentError): void {
  const inputs = featureNames(plan).length;
  if (mean.length !== inputs || std.length !== inputs)
    throw refusal(`its normalisation is of ${mean.length} inputs; the plan has ${inputs}`);
}

function malformed(path: string, reason: string): AgentError {
  return new AgentError(
    'model-malformed',
    `The file ${path} is no model of this release: ${reason}. Get it again: coferment-agent models download RUN`,
  );
}
