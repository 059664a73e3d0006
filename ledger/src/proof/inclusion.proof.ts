import { LedgerError } from '../errors/index.js';
import { HASH_BYTES, nodeHash, sameBytes, splitPoint } from '../tree/node.hash.js';
import type { SubtreeHashes } from '../tree/subtree.hashes.js';
import { isTreeSize } from './tree.size.js';

export interface InclusionClaim {
  readonly leafHash: Uint8Array;
  /** Zero-based position of the entry. */
  readonly index: bigint;
  readonly size: bigint;
  readonly root: Uint8Array;
  /** Sibling hashes, from the leaf's up to the root's child. */
  readonly proof: readonly Uint8Array[];
}

/**
 * RFC 9162 §2.1.3.2. Everything in the claim may be an attacker's; false is the only answer to what does not hold.
 * The proof must have exactly the length that index and size call for: spare hashes are refused, not ignored.
 */
export function verifyInclusion({ leafHash, index, size, root, proof }: InclusionClaim): boolean {
  if (!isTreeSize(index) || !isTreeSize(size) || index >= size) return false;
  if (leafHash.length !== HASH_BYTES || root.length !== HASH_BYTES) return false;
  let node = index;
  let last = size - 1n;
  let hash = leafHash;
  for (const sibling of proof) {
    if (last === 0n || sibling.length !== HASH_BYTES) return false;
    if (node & 1n || node === last) {
      hash = nodeHash(sibling, hash);
      // A right edge without a sibling rises until it has one.
      while (!(node & 1n) && node !== 0n) {
        node >>= 1n;
        last >>= 1n;
      }
    } else {
      hash = nodeHash(hash, sibling);
    }
    node >>= 1n;
    last >>= 1n;
  }
  return last === 0n && sameBytes(hash, root);
}

/** RFC 9162 §2.1.3.1. @throws LedgerError 'out-of-range' unless 0 ≤ index < size */
export function inclusionProof(tree: SubtreeHashes, index: bigint, size: bigint): Uint8Array[] {
  if (index < 0n || index >= size) throw new LedgerError('out-of-range', `entry ${index} is not in a tree of ${size}`);
  const path: Uint8Array[] = [];
  let begin = 0n;
  let end = size;
  while (end - begin > 1n) {
    const middle = begin + splitPoint(end - begin);
    if (index < middle) {
      path.push(tree.subtreeHash(middle, end));
      end = middle;
    } else {
      path.push(tree.subtreeHash(begin, middle));
      begin = middle;
    }
  }
  return path.toReversed();
}
