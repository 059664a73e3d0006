import { type FileHandle, open } from 'node:fs/promises';
import {
  type AggregationParameters,
  type BlockRange,
  answering,
  ciphertextBlockSpan,
  CryptoError,
  openBlock,
  parameterSet,
  shareBlockSpan,
} from '@coferment/crypto';
import { BlockFiles, DamagedFile, sha256, sumBlocks } from './block.files.js';
import type { Stepped, StepTask } from './sum.step.js';

const DIGEST_BYTES = 32;

/** Blocks of one sum for one thread. */
export interface OpeningTask {
  parameters: AggregationParameters;
  /** Coefficients in use in every vector of the sum. */
  coefficients: number;
  range: BlockRange;
  /** Files of the counted uploads. */
  uploads: readonly string[];
  shares: readonly StoredShare[];
  /** Where the opened coefficients go, each block at its place; null when only the answer is asked for. */
  sum: string | null;
}

export interface StoredShare {
  /** Position of the key holder, from 0. */
  position: number;
  path: string;
}

/** A file that a task needs is not what was stored. */
export interface Damaged {
  damaged: { path: string; reason: string };
}

/** What a thread is asked, and what it answers. */
export type AggregationTask = { do: 'open'; task: OpeningTask } | { do: 'step'; task: StepTask };
export type AggregationResult = { did: 'open'; result: OpenedRange } | { did: 'step'; result: Stepped } | ({ did: 'nothing' } & Damaged);

export interface OpenedRange {
  /** Digests of these blocks, 32 bytes each: of every upload and then of every share. What follows means something only if they are the signed ones. */
  digests: Uint8Array[];
  /** Parity relations that fail in some block. */
  failedRelations: number[][];
  /** Every block opened. */
  complete: boolean;
  /** Why a block could not even be tried: it is no upload or no share at all. */
  malformed: string | undefined;
}

export default answering<AggregationTask, AggregationResult>(
  async ({ do: what, task }) => {
    try {
      switch (what) {
        case 'open':
          return { did: 'open', result: await openFiles(task) };
        case 'step': {
          // Only here, and once: plans and strategies take memory in every thread that loads them.
          const { takeStep } = await import('./sum.step.js');
          return { did: 'step', result: await takeStep(task) };
        }
      }
    } catch (error) {
      if (error instanceof DamagedFile) return { did: 'nothing', damaged: { path: error.path, reason: error.message } };
      throw error;
    }
  },
  () => [],
);

/** Reads, adds and opens the blocks of a range, a few at a time. */
async function openFiles(task: OpeningTask): Promise<OpenedRange> {
  const files: BlockFiles[] = [];
  let sum: FileHandle | undefined;
  try {
    for (const paths of [task.uploads, task.shares.map(({ path }) => path)]) files.push(await BlockFiles.open(paths));
    if (task.sum !== null) sum = await open(task.sum, 'r+');
    return await openRange(task, { uploads: files[0]!, shares: files[1]!, sum });
  } finally {
    for (const opened of [...files, sum]) await opened?.close();
  }
}

interface OpenFiles {
  uploads: BlockFiles;
  shares: BlockFiles;
  sum: FileHandle | undefined;
}

async function openRange(task: OpeningTask, { uploads, shares, sum }: OpenFiles): Promise<OpenedRange> {
  const { parameters, coefficients, range } = task;
  const { degree } = parameterSet(parameters.set);
  const spansOf = (span: typeof ciphertextBlockSpan) =>
    Array.from({ length: Math.ceil(coefficients / degree) }, (_, block) => span(block, coefficients, parameters));
  const uploadSpans = spansOf(ciphertextBlockSpan);
  const shareSpans = spansOf(shareBlockSpan);
  const digests = Array.from(
    { length: task.uploads.length + task.shares.length },
    () => new Uint8Array((range.to - range.from) * DIGEST_BYTES),
  );
  const failed = new Map<string, number[]>();
  let complete = true;
  let malformed: string | undefined;
  for await (const summed of sumBlocks(uploads, uploadSpans, range, parameters)) {
    const { from, totals } = summed;
    const to = from + summed.digests[0]!.length;
    const record = (object: number, ofBlocks: readonly Uint8Array[]) => {
      for (const [index, digest] of ofBlocks.entries()) digests[object]!.set(digest, (from - range.from + index) * DIGEST_BYTES);
    };
    for (const [upload, ofBlocks] of summed.digests.entries()) record(upload, ofBlocks);
    if (summed.malformed !== undefined) malformed ??= `upload ${summed.malformed.upload}: ${summed.malformed.reason}`;
    const received = totals.map(() => new Map<number, Uint8Array>());
    let share = 0;
    for await (const blocks of shares.read(shareSpans.slice(from, to))) {
      record(task.uploads.length + share, blocks.map(sha256));
      for (const [index, ofBlock] of received.entries()) ofBlock.set(task.shares[share]!.position, blocks[index]!.slice());
      share++;
    }
    // The rest is read all the same after a malformed block: only all digests say whether a member or this machine's disk made it so.
    if (malformed !== undefined) continue;
    for (const [index, total] of totals.entries()) {
      const block = from + index;
      const used = uploadSpans[block]!.coefficients;
      try {
        const opened = openBlock({ parameters, used, addends: task.uploads.length, total, shares: received[index]! });
        for (const relation of opened.failedRelations) failed.set(relation.join(','), relation);
        if (opened.coefficients === undefined) complete = false;
        else if (sum !== undefined) await writeWords(sum, opened.coefficients, block * degree);
      } catch (error) {
        if (!(error instanceof CryptoError)) throw error;
        malformed ??= error.message;
      }
    }
  }
  return { digests, failedRelations: [...failed.values()], complete: complete && malformed === undefined, malformed };
}

/** Little-endian words from coefficient `first` of the sum on. */
async function writeWords(sum: FileHandle, words: BigUint64Array, first: number): Promise<void> {
  const bytes = new Uint8Array(words.buffer, words.byteOffset, words.byteLength);
  for (let written = 0; written < bytes.length;) {
    const { bytesWritten } = await sum.write(bytes, written, bytes.length - written, first * 8 + written);
    written += bytesWritten;
  }
}
