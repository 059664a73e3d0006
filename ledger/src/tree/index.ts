export { MerkleFrontier } from './merkle.frontier.js';
export { MerkleTree } from './merkle.tree.js';
export { HASH_BYTES, emptyRoot, leafHash, nodeHash } from './node.hash.js';
export type { SubtreeHashes } from './subtree.hashes.js';
