import { hash } from 'node:crypto';
import { type FileHandle, open } from 'node:fs/promises';
import {
  type AggregationParameters,
  type BlockRange,
  type BlockSpan,
  type BlockTotal,
  blockTotal,
  type CiphertextAccumulator,
  ciphertextAccumulator,
  CryptoError,
} from '@coferment/crypto';

/** A stored object that no longer is what was stored. */
export class DamagedFile extends Error {
  override readonly name = 'DamagedFile';

  constructor(
    readonly path: string,
    reason: string,
    options?: ErrorOptions,
  ) {
    super(reason, options);
  }
}

export function unopened(path: string, cause: unknown): DamagedFile {
  return new DamagedFile(path, `it cannot be opened (${(cause as NodeJS.ErrnoException).code ?? 'unknown'})`, { cause });
}

/** Consecutive blocks of one file that are read at once: one block alone is a small read for a disk that serves a hundred files in turn. */
const BLOCKS_A_READ = 4;
/** Reads under way while one is being worked on. */
const READ_AHEAD = 3;

export interface Read {
  file: FileHandle;
  path: string;
  offset: number;
  buffer: Uint8Array;
}

/** Files of uploads and shares, open for positional reads. */
export class BlockFiles {
  /** One is being worked on while the others fill. */
  readonly #buffers = Array.from({ length: READ_AHEAD + 1 }, () => new Uint8Array());

  private constructor(
    readonly paths: readonly string[],
    private readonly files: readonly FileHandle[],
  ) {}

  /** @throws DamagedFile for a file that cannot be opened */
  static async open(paths: readonly string[]): Promise<BlockFiles> {
    const files: FileHandle[] = [];
    for (const path of paths) {
      try {
        files.push(await open(path, 'r'));
      } catch (cause) {
        for (const file of files) await file.close();
        throw unopened(path, cause);
      }
    }
    return new BlockFiles(paths, files);
  }

  async close(): Promise<void> {
    for (const file of this.files) await file.close();
  }

  /**
   * The same consecutive blocks of every file, one file after the other; the next files are read meanwhile. What is yielded is overwritten later,
   * also by another reading: one at a time.
   * @param spans where these blocks lie in every file
   * @throws DamagedFile for a file that ends too early
   */
  async *read(spans: readonly BlockSpan[]): AsyncGenerator<Uint8Array[]> {
    const { offset } = spans[0]!;
    const last = spans.at(-1)!;
    const length = last.offset + last.length - offset;
    const buffers = this.#buffers;
    // Blocks begin at multiples of four bytes, because whole ones have such lengths: words are added in place.
    for (const [index, buffer] of buffers.entries()) if (buffer.length < length) buffers[index] = new Uint8Array(length);
    const pending: Promise<Uint8Array>[] = [];
    const begin = (index: number) => {
      const file = this.files[index];
      if (file === undefined) return;
      const filled = readFully({ file, path: this.paths[index]!, offset, buffer: buffers[index % buffers.length]!.subarray(0, length) });
      // Awaited in its turn; until then a failure must not count as unhandled.
      filled.catch(() => undefined);
      pending.push(filled);
    };
    try {
      for (let index = 0; index < READ_AHEAD; index++) begin(index);
      for (const index of this.files.keys()) {
        begin(index + READ_AHEAD);
        const bytes = await pending.shift()!;
        yield spans.map((span) => bytes.subarray(span.offset - offset, span.offset - offset + span.length));
      }
    } finally {
      await Promise.allSettled(pending);
    }
  }
}

/** Fills the buffer from the offset on. @throws DamagedFile for a file that ends too early */
export async function readFully({ file, path, offset, buffer }: Read): Promise<Uint8Array> {
  for (let filled = 0; filled < buffer.length;) {
    const { bytesRead } = await file.read(buffer, filled, buffer.length - filled, offset + filled);
    if (bytesRead === 0) throw new DamagedFile(path, `it ends after ${offset + filled} bytes`);
    filled += bytesRead;
  }
  return buffer;
}

export function sha256(block: Uint8Array): Uint8Array {
  return hash('sha256', block, 'buffer');
}

/** Consecutive blocks, summed over all uploads. */
export interface SummedBlocks {
  /** Number of the first of them. */
  from: number;
  /** Overwritten by those of the next blocks. */
  totals: BlockTotal[];
  /** digests[i] are those of the blocks of upload i. */
  digests: Uint8Array[][];
  /** A block that no encryption gives: which upload it is of, and what is wrong. There are no totals then. */
  malformed: { upload: number; detail: string } | undefined;
}

/** Memory for the sum of a block, used for one block after the other: fresh pages for each cost as much as the additions. */
interface BlockSum {
  coefficients: number;
  accumulator: CiphertextAccumulator;
  total: BlockTotal;
}

function emptySum(kept: BlockSum | undefined, coefficients: number, parameters: AggregationParameters): BlockSum {
  if (kept?.coefficients === coefficients) {
    kept.accumulator.clear();
    return kept;
  }
  return { coefficients, accumulator: ciphertextAccumulator(coefficients, parameters), total: blockTotal(coefficients) };
}

/**
 * Reads blocks from ≤ block < to of all uploads, takes their digests and adds them, in memory that grows neither with the uploads nor with the blocks.
 * The digests are for the caller to compare with what was signed: until then the sums mean nothing, and a malformed block may be this machine's fault.
 * @param spans where the blocks of an upload lie, all of them
 * @throws DamagedFile
 */
export async function* sumBlocks(
  uploads: BlockFiles,
  spans: readonly BlockSpan[],
  { from, to }: BlockRange,
  parameters: AggregationParameters,
): AsyncGenerator<SummedBlocks> {
  let kept: BlockSum[] = [];
  for (let start = from; start < to; start += BLOCKS_A_READ) {
    const here = spans.slice(start, Math.min(to, start + BLOCKS_A_READ));
    const sums = here.map(({ coefficients }, index) => emptySum(kept[index], coefficients, parameters));
    kept = sums;
    const digests: Uint8Array[][] = [];
    let malformed: SummedBlocks['malformed'];
    for await (const blocks of uploads.read(here)) {
      digests.push(blocks.map(sha256));
      try {
        if (malformed === undefined) for (const [index, block] of blocks.entries()) sums[index]!.accumulator.add(block);
      } catch (error) {
        if (!(error instanceof CryptoError)) throw error;
        malformed = { upload: digests.length - 1, detail: error.message };
      }
    }
    yield {
      from: start,
      totals: malformed === undefined ? sums.map(({ accumulator, total }) => accumulator.total(total)) : [],
      digests,
      malformed,
    };
  }
}
