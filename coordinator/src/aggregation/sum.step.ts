import { readFile, writeFile } from 'node:fs/promises';
import {
  ConsortiumError,
  describeModel,
  type Metrics,
  modelBytes,
  modelDigest,
  modelFromBytes,
  type OpenedSum,
  type Plan,
  readSum,
  type StrategyState,
} from '@coferment/consortium';
import { CryptoError, sha256Hex } from '@coferment/crypto';
import { DamagedFile } from '@coferment/ledger/opening';
import type { GarbleReason } from '../rounds/round.entity.js';

/** A strategy state without its values, which stay in a file. */
export interface StateFacts extends Omit<StrategyState, 'model'> {
  /** Digest of the model as members name it. */
  model: string;
}

/** What leads from an opened sum to the next state. Vectors are files: a million values would take long to send to a thread. */
export interface StepTask extends Omit<OpenedSum, 'state' | 'coefficients'> {
  /** What an update is applied to: the state, and its model's file and the SHA-256 of that. */
  from: { facts: StateFacts; path: string; object: string } | undefined;
  /** File of the opened coefficients, one little-endian 64-bit word each. */
  sum: string;
  /** Where a new model goes. */
  target: string;
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
    const meaning = readSum({ ...task, state, coefficients });
    if (!meaning.ok)
      return { ok: false, reason: 'confirm-mismatch', detail: `the confirmation of "${task.confirms?.site}" did not come out` };
    const { next, metrics, trainLoss } = meaning;
    if (next === undefined) return { ok: true, learnt: undefined, metrics, trainLoss };
    await writeFile(task.target, modelBytes(next.model), { mode: 0o600 });
    return { ok: true, learnt: { ...next, model: modelDigest(describeModel(plan), next.model) }, metrics, trainLoss };
  } catch (error) {
    if (error instanceof CryptoError) return { ok: false, reason: 'residual', detail: error.message };
    if (error instanceof ConsortiumError) return { ok: false, reason: 'weights', detail: error.message };
    throw error;
  }
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
