import { type FileHandle, open } from 'node:fs/promises';
import {
  type AggregationParameters,
  type BlockRange,
  ciphertextBlockSpan,
  CryptoError,
  openBlock,
  parameterSet,
  shareBlockSpan,
} from '@coferment/crypto';
import { BlockFiles, readFully, sha256, sumBlocks, unopened } from './block.files.js';

const DIGEST_BYTES = 32;

/** Blocks of one sum, for one thread. */
export interface OpeningTask {
  parameters: AggregationParameters;
  /** Coefficients in use in every vector of the sum. */
  coefficients: number;
  range: BlockRange;
  /** Files of the counted uploads. */
  uploads: readonly string[];
  shares: readonly StoredShare[];
  /** The opened coefficients, one little-endian 64-bit word each, every block at its place; null when only the answer is asked for. */
  sum: SumFile | null;
}

/** `write`: the coordinator's, which the sum goes to. `compare`: the published one, which it must be. */
export interface SumFile {
  do: 'write' | 'compare';
  path: string;
}

export interface StoredShare {
  /** Position of the key holder, from 0. */
  position: number;
  path: string;
}

export interface OpenedRange {
  /** Digests of these blocks, 32 bytes each: of every upload and then of every share. What follows means something only if they are the signed ones. */
  digests: Uint8Array[];
  /** Parity relations that fail in some block. */
  failedRelations: number[][];
  /** Every block opened. */
  complete: boolean;
  /** Why a block could not even be tried: it is no upload (given by its place in the task) or no share at all. */
  malformed: Malformed | undefined;
  /** The first coefficient that the compared file has otherwise. */
  difference: Difference | undefined;
}

export interface Malformed {
  upload: number | undefined;
  detail: string;
}

export interface Difference {
  coefficient: number;
  published: bigint;
  opened: bigint;
}

/**
 * Reads, adds and opens the blocks of a range, a few at a time, in memory that grows neither with the vector nor with the sites.
 * @throws DamagedFile for a file that is gone or ends too early
 */
export async function openRange(task: OpeningTask): Promise<OpenedRange> {
  const files: BlockFiles[] = [];
  let sum: FileHandle | undefined;
  try {
    for (const paths of [task.uploads, task.shares.map(({ path }) => path)]) files.push(await BlockFiles.open(paths));
    if (task.sum !== null) sum = await openSum(task.sum);
    return await openBlocks(task, { uploads: files[0]!, shares: files[1]!, sum });
  } finally {
    for (const opened of [...files, sum]) await opened?.close();
  }
}

interface OpenFiles {
  uploads: BlockFiles;
  shares: BlockFiles;
  sum: FileHandle | undefined;
}

async function openBlocks(task: OpeningTask, { uploads, shares, sum }: OpenFiles): Promise<OpenedRange> {
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
  let malformed: Malformed | undefined;
  let difference: Difference | undefined;
  for await (const summed of sumBlocks(uploads, uploadSpans, range, parameters)) {
    const { from, totals } = summed;
    const to = from + summed.digests[0]!.length;
    const record = (object: number, ofBlocks: readonly Uint8Array[]) => {
      for (const [index, digest] of ofBlocks.entries()) digests[object]!.set(digest, (from - range.from + index) * DIGEST_BYTES);
    };
    for (const [upload, ofBlocks] of summed.digests.entries()) record(upload, ofBlocks);
    malformed ??= summed.malformed;
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
        else if (sum !== undefined && task.sum?.do === 'write') await writeWords(sum, opened.coefficients, block * degree);
        else if (sum !== undefined && task.sum?.do === 'compare')
          difference ??= await compareWords({ file: sum, path: task.sum.path }, opened.coefficients, block * degree);
      } catch (error) {
        if (!(error instanceof CryptoError)) throw error;
        malformed ??= { upload: undefined, detail: error.message };
      }
    }
  }
  return { digests, failedRelations: [...failed.values()], complete: complete && malformed === undefined, malformed, difference };
}

/** Little-endian words from coefficient `first` of the sum on. */
async function writeWords(sum: FileHandle, words: BigUint64Array, first: number): Promise<void> {
  const bytes = new Uint8Array(words.buffer, words.byteOffset, words.byteLength);
  for (let written = 0; written < bytes.length;) {
    const { bytesWritten } = await sum.write(bytes, written, bytes.length - written, first * 8 + written);
    written += bytesWritten;
  }
}

/** The first word, from coefficient `first` on, that stands otherwise in the file. */
async function compareWords(
  { file, path }: { file: FileHandle; path: string },
  words: BigUint64Array,
  first: number,
): Promise<Difference | undefined> {
  const bytes = await readFully({ file, path, offset: first * 8, buffer: new Uint8Array(words.byteLength) });
  if (Buffer.compare(bytes, new Uint8Array(words.buffer, words.byteOffset, words.byteLength)) === 0) return undefined;
  const published = new BigUint64Array(bytes.buffer, bytes.byteOffset, words.length);
  const index = words.findIndex((word, position) => word !== published[position]);
  return { coefficient: first + index, published: published[index]!, opened: words[index]! };
}

async function openSum({ do: what, path }: SumFile): Promise<FileHandle> {
  try {
    return await open(path, what === 'write' ? 'r+' : 'r');
  } catch (cause) {
    throw unopened(path, cause);
  }
}
