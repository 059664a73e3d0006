import { TILE_WIDTH } from '../tiles/index.js';
import { HASH_BYTES } from '../tree/index.js';
import { CHECKPOINT_PATH, POLICY_PATH } from './ledger.export.js';

const MIB = 1024 * 1024;
// An entry has at most 4,096 bytes (see entry/), behind a length of two.
const MAX_BUNDLE_BYTES = TILE_WIDTH * (4096 + 2);
/** Ciphertexts and sums: the largest that a run of 10^8 parameters makes is a few hundred MiB. */
const MAX_OBJECT_BYTES = 1024 * MIB;

/** Bytes, decompressed, that the resource at a path of a log can have at most: neither a hostile server nor a hostile folder may fill memory or disk. */
export function maxBytesOf(path: string): number {
  if (path === CHECKPOINT_PATH || path === POLICY_PATH) return MIB;
  if (path.startsWith('tile/entries/')) return MAX_BUNDLE_BYTES;
  if (path.startsWith('tile/')) return TILE_WIDTH * HASH_BYTES;
  return path.startsWith('objects/') ? MAX_OBJECT_BYTES : MIB;
}
