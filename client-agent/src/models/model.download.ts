import { describeModel, modelDigest, modelFromBytes, type Normalisation, normalisationDigest, type Plan } from '@coferment/consortium';
import { AgentError } from '../agent.error.js';
import type { CoordinatorPort } from '../connection/coordinator.port.js';
import type { ObjectCache } from '../connection/object.cache.js';
import type { Journal } from '../journal/journal.js';
import { MAX_PLAN_BYTES, readPlan } from '../policy/plan.policy.js';
import { type KeptModel, normalisationSchema, requireNormalisation } from './model.file.js';
import type { Release } from './release.ledger.js';

/** How the coordinator describes the model of a run: taken for what it is worth, and compared with what is signed. */
export interface DescribedModel {
  round: number;
  /** SHA-256 of the values; empty when there is none for this site. */
  object: string;
  /** Canonical JSON. */
  normalisation: string;
}

export interface ModelPort extends Pick<CoordinatorPort, 'download' | 'ledgerEntries'> {
  describeModel(run: string): Promise<DescribedModel>;
}

/** The last model of a run that this site has followed to its end, from its own computation; undefined for any other. */
export function ownModel(journal: Journal, objects: ObjectCache, run: string): KeptModel | undefined {
  const record = journal.runs.get(run);
  const { state } = journal.models.progress(run);
  const bytes = record === undefined ? undefined : objects.read(record.plan);
  if (record?.state !== 'closed' || record.detail !== 'completed' || state === null || bytes === undefined) return undefined;
  const plan = readPlan(bytes);
  const { model: values, normalisation, round } = state;
  return { run, plan, digest: modelDigest(describeModel(plan), values), round, values, normalisation };
}

/**
 * A released model, checked against what the operator has signed: the plan by its digest, the values by the model's digest, the normalisation by the digest
 * that the run's last sum was bound to.
 * @throws AgentError 'no-model', 'model-mismatch', 'object-mismatch', 'plan-malformed'
 */
export async function downloadModel(port: ModelPort, release: Release): Promise<KeptModel> {
  const { run, model: digest } = release;
  const plan = readPlan(await port.download(release.plan, MAX_PLAN_BYTES));
  const described = await port.describeModel(run);
  if (described.object === '')
    throw new AgentError(
      'no-model',
      `The coordinator has no model of ${run} for this site, though the ledger says that it is released. Ask the operator.`,
    );
  const description = describeModel(plan);
  const values = modelFromBytes(description, await port.download(described.object, description.parameters * 8));
  const found = modelDigest(description, values);
  if (found !== digest) throw mismatch(release, `the values that came are those of ${found}`);
  return { run, plan, digest, round: described.round, values, normalisation: checkedNormalisation(plan, release, described.normalisation) };
}

function checkedNormalisation(plan: Plan, release: Release, text: string): Normalisation {
  const parsed = normalisationSchema.safeParse(parsedJson(text));
  if (!parsed.success) throw mismatch(release, 'its normalisation is malformed');
  requireNormalisation(plan, parsed.data, (reason) => mismatch(release, reason));
  if (normalisationDigest(parsed.data) !== release.normalisation)
    throw mismatch(release, 'its normalisation is not the one that the run was signed with');
  return parsed.data;
}

function parsedJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function mismatch({ run, model }: Release, reason: string): AgentError {
  return new AgentError(
    'model-mismatch',
    `The model of ${run} is refused: the ledger says ${model}, and ${reason}. Nothing was written; tell the operator and have the ledger audited.`,
  );
}
