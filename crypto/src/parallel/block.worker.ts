import { loadSeal } from '../ring/seal.module.js';
import { runBlocks, type BlockRun, type BlockWork } from './block.task.js';
import type { BlockRange } from '../packing/block.layout.js';
import { answering } from './worker.answer.js';

export interface BlockTask {
  work: BlockWork;
  range: BlockRange;
}

const loading = loadSeal();

/** What a thread of a CryptoPool does. Its secrets are in memory that it shares with the caller, who overwrites them; it makes no copy that it keeps. */
export default answering<BlockTask, BlockRun>(
  async ({ work, range }) => {
    await loading;
    return runBlocks(work, range);
  },
  ({ bytes }) => [bytes],
);
