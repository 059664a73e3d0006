import { type BlockRun, merkleRoot } from '@coferment/crypto';
import type { ObjectCache } from '../connection/object.cache.js';

/**
 * Stores an upload or share while it is being computed; later blocks are computed while earlier ones are hashed and written. All of it is on disk when
 * this resolves, and before that nobody has its digest.
 */
export async function storeBlocks(objects: ObjectCache, runs: AsyncIterable<BlockRun>): Promise<{ object: string; merkleRoot: string }> {
  const leaves: Uint8Array[] = [];
  const pieces = async function* (): AsyncGenerator<Uint8Array> {
    for await (const { bytes, digests } of runs) {
      leaves.push(...digests);
      yield bytes;
    }
  };
  const object = await objects.write(pieces());
  return { object, merkleRoot: merkleRoot(leaves) };
}
