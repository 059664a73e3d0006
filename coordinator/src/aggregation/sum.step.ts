import { readFile, writeFile } from 'node:fs/promises';
import {
  ConsortiumError,
  type Plan,
  type StrategyState,
  type SumKind,
  applySum,
  confirmVector,
  decodeExact,
  describeModel,
  initialState,
  modelBytes,
  modelDigest,
  modelFromBytes,
  vectorShape,
} from '@coferment/consortium';
import { type AggregationParameters, CryptoError, sha256Hex, unpackSum } from '@coferment/crypto';
import type { GarbleReason } from '../rounds/round.entity.js';
import { DamagedFile } from './block.files.js';

/** A strategy state without its values, which stay in a file. */
export interface StateFacts extends Omit<StrategyState, 'model'> {
  /** Digest of the model as members name it. */
  model: string;
}

/** What leads from an opened sum to the next state. Vectors are files: a million values would take long to send to a thread. */
export interface StepTask {
  plan: Plan;
  kind: SumKind;
  ordinal: number;
  /** Of the run. */
  sites: readonly string[];
  parameters: AggregationParameters;
  addends: number;
  /** The site of a confirm sum, and E. */
  confirms: { site: string; e: string } | undefined;
  /** What an update is applied to: the state, and its model's file and the SHA-256 of that. */
  from: { facts: StateFacts; path: string; object: string } | undefined;
  /** File of the opened coefficients, one little-endian 64-bit word each. */
  sum: string;
  /** Where a new model goes. */
  target: string;
}

/** Holdout error of the incoming model over all counted sites; null where nobody has holdout rows. */
export interface Metrics {
  rmse: number | null;
  holdoutCount: number;
}

export type Stepped =
  | {
      ok: true;
      /** What the run has learnt by this sum; its model stands at the target. */
      learnt: StateFacts | undefined;
      metrics: Metrics | undefined;
      trainLoss: number | undefined;
    }
  | { ok: false; reason: Exclude<GarbleReason, 'parity'>; detail: string };

/**
 * From the exact sum to what follows from it. Running it again after a crash gives the same bytes.
 * @throws DamagedFile for a sum or model that is gone or changed
 */
export async function takeStep(task: StepTask): Promise<Stepped> {
  const { plan, from } = task;
  const coefficients = wordsOf(await read(task.sum));
  const state = from === undefined ? undefined : { ...from.facts, model: await readModel(plan, from) };
  try {
    const { next, ...stepped } = readSum(task, coefficients, state);
    if (next === undefined) return { ok: true, learnt: undefined, ...stepped };
    await writeFile(task.target, modelBytes(next.model), { mode: 0o600 });
    return { ok: true, learnt: { ...next, model: modelDigest(describeModel(plan), next.model) }, ...stepped };
  } catch (error) {
    if (error instanceof Mismatch) return { ok: false, reason: 'confirm-mismatch', detail: error.message };
    if (error instanceof CryptoError) return { ok: false, reason: 'residual', detail: error.message };
    if (error instanceof ConsortiumError) return { ok: false, reason: 'weights', detail: error.message };
    throw error;
  }
}

/** A confirm sum that is not its site's public vector. */
class Mismatch extends Error {
  override readonly name = 'Mismatch';
}

interface Read {
  next: StrategyState | undefined;
  metrics: Metrics | undefined;
  trainLoss: number | undefined;
}

function readSum(task: StepTask, coefficients: BigUint64Array, state: StrategyState | undefined): Read {
  const { plan, kind, parameters, addends, ordinal, sites } = task;
  const { packed, exact } = unpackSum(vectorShape(plan, kind), parameters, coefficients, addends);
  const nothing = { next: undefined, metrics: undefined, trainLoss: undefined };
  switch (kind) {
    case 'confirm': {
      const { site, e } = required(task.confirms, 'the confirmed site');
      const expected = confirmVector(e, site, parameters.valueBits);
      const same =
        expected.packed.every((value, index) => packed[index] === value) && expected.exact.every((value, index) => exact[index] === value);
      if (!same) throw new Mismatch(`the confirmation of "${site}" did not come out`);
      return nothing;
    }
    case 'statistics':
      return { ...nothing, next: initialState(plan, { ordinal, siteIds: sites, statistics: { exact, addends } }) };
    case 'update': {
      const values = decodeExact(plan, 'update', exact);
      const next = applySum(plan, required(state, 'a model'), { packed, exact, addends, valueBits: parameters.valueBits });
      return { next, metrics: metricsOf(values), trainLoss: values['trainLossSum']! / values['weight']! };
    }
    case 'evaluate':
      return { ...nothing, metrics: metricsOf(decodeExact(plan, 'evaluate', exact)) };
  }
}

function metricsOf(values: Readonly<Record<string, number>>): Metrics {
  const holdoutCount = values['holdoutCount']!;
  return { rmse: holdoutCount > 0 ? Math.sqrt(values['holdoutSumSquaredError']! / holdoutCount) : null, holdoutCount };
}

/** What the caller's state guarantees. */
function required<T>(value: T | undefined, what: string): T {
  if (value === undefined) throw new TypeError(`a sum of this kind needs ${what}`);
  return value;
}

async function readModel(plan: Plan, { path, object }: { path: string; object: string }): Promise<Float64Array> {
  const bytes = await read(path);
  const found = sha256Hex(bytes);
  if (found !== object) throw new DamagedFile(path, `its bytes have the digest ${found}`);
  return modelFromBytes(describeModel(plan), bytes);
}

async function read(path: string): Promise<Buffer> {
  try {
    return await readFile(path);
  } catch (cause) {
    throw new DamagedFile(path, `it cannot be read (${(cause as NodeJS.ErrnoException).code ?? 'unknown'})`, { cause });
  }
}

function wordsOf(bytes: Buffer): BigUint64Array {
  return bytes.byteOffset % 8 === 0
    ? new BigUint64Array(bytes.buffer, bytes.byteOffset, bytes.length / 8)
    : new BigUint64Array(Uint8Array.from(bytes).buffer);
}
