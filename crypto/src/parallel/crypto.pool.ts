import { setImmediate as nextTurn } from 'node:timers/promises';
import { CryptoError } from '../crypto.error.js';
import type { EncryptionInput } from '../encryption/vector.encryption.js';
import { concatBytes } from '../hashing/bytes.codec.js';
import { blockSizes, splitIntoRanges, type BlockRange } from '../packing/block.layout.js';
import { parameterSet } from '../ring/parameter.set.js';
import type { DecryptionShareInput } from '../shares/decryption.share.js';
import { coefficientsOf, runBlocks, type BlockRun, type BlockWork } from './block.task.js';
import type { BlockTask } from './block.worker.js';
import { shareSecrets } from './shared.secrets.js';
import { WorkerPool } from './worker.pool.js';

export interface CryptoPoolOptions {
  /** Worker threads; 0 computes on the calling thread, block by block. As many as the process may use unless said otherwise. */
  threads?: number;
}

/**
 * Vectors of so few blocks stay on the calling thread, one block (7 ms) a turn. Measured on two cores: 8 blocks take 57 ms there, 53 ms in two threads that
 * are ready, and half a second in threads that have to load SEAL first.
 */
const MOST_BLOCKS_HERE = 8;
/** Blocks a task: so many that setting up the key (about 2 ms) does not count, so few that results can be hashed and stored meanwhile. */
const MOST_BLOCKS_A_TASK = 8;

/**
 * Encryption and decryption shares on several threads, by ranges of blocks. Results come in the order of the blocks and are the bytes that one thread makes
 * (of a ciphertext: as far as they are not random). The event loop stays free.
 *
 * A range that a lost thread took with it is not tried again: whoever calls decides that, because no block may be encrypted twice under one K.
 */
export class CryptoPool {
  readonly #threads: number;
  readonly #workers: WorkerPool<BlockTask, BlockRun>;

  constructor({ threads = navigator.hardwareConcurrency }: CryptoPoolOptions = {}) {
    if (!Number.isSafeInteger(threads) || threads < 0)
      throw new CryptoError('out-of-range', `A pool has a whole number of threads, not ${threads}.`);
    this.#threads = threads;
    // The package export leads to the built file also where this one is run from its source: a thread has no test runner that would compile it.
    const module = import.meta.resolve('@coferment/crypto/worker');
    this.#workers = new WorkerPool({ what: 'encryption and decryption shares', module, threads: Math.max(1, threads) });
  }

  /** As the function of this name, on several threads. @throws CryptoError as that one; 'worker-lost' */
  async encryptVector(input: EncryptionInput): Promise<Uint8Array> {
    return joined(this.encryptedBlocks(input));
  }

  /** As the function of this name, on several threads. @throws CryptoError as that one; 'worker-lost' */
  async decryptionShare(input: DecryptionShareInput): Promise<Uint8Array> {
    return joined(this.shareBlocks(input));
  }

  /** An upload from its first block to its last, some blocks at a time, while later ones are being encrypted. The caller overwrites its secrets afterwards. */
  encryptedBlocks(input: EncryptionInput): AsyncGenerator<BlockRun> {
    return this.#run({ kind: 'encrypt', input });
  }

  /** A decryption share from its first block to its last, as {@link encryptedBlocks}. */
  shareBlocks(input: DecryptionShareInput): AsyncGenerator<BlockRun> {
    return this.#run({ kind: 'share', input });
  }

  /** Ends the threads. What they were computing is lost, with 'worker-lost'. */
  close(): Promise<void> {
    return this.#workers.close();
  }

  async *#run(work: BlockWork): AsyncGenerator<BlockRun> {
    const { length: blocks } = blockSizes(coefficientsOf(work), parameterSet(work.input.parameters.set));
    if (blocks <= MOST_BLOCKS_HERE || this.#threads === 0) yield* blockByBlock(work, blocks);
    else yield* this.#inThreads(work, blocks);
  }

  async *#inThreads(work: BlockWork, blocks: number): AsyncGenerator<BlockRun> {
    const ranges = splitBlocks(blocks, this.#threads);
    const shared = shareSecrets(work);
    // One more under way than there are threads, so that none waits for the caller.
    const running: Promise<BlockRun>[] = [];
    const start = (range: BlockRange | undefined) => {
      if (range === undefined) return;
      const run = this.#workers.run({ work: shared.work, range });
      // Awaited in its turn; until then a failure must not count as unhandled.
      run.catch(() => undefined);
      running.push(run);
    };
    try {
      for (const range of ranges.splice(0, this.#threads + 1)) start(range);
      for (let next = running.shift(); next !== undefined; next = running.shift()) {
        const run = await next;
        start(ranges.shift());
        yield run;
      }
    } finally {
      await Promise.allSettled(running);
      shared.erase();
    }
  }
}

/** Equal parts, in order: at least two for each thread where there are enough blocks, so that the last ones end together. */
function splitBlocks(blocks: number, threads: number): BlockRange[] {
  const size = Math.min(MOST_BLOCKS_A_TASK, Math.ceil(blocks / (2 * threads)));
  return splitIntoRanges(blocks, size);
}

async function* blockByBlock(work: BlockWork, blocks: number): AsyncGenerator<BlockRun> {
  for (let block = 0; block < blocks; block++) {
    yield runBlocks(work, { from: block, to: block + 1 });
    await nextTurn();
  }
}

async function joined(runs: AsyncIterable<BlockRun>): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  for await (const { bytes } of runs) parts.push(bytes);
  return concatBytes(parts);
}
