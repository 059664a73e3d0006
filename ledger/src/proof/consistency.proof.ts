import { LedgerError } from '../errors/index.js';
import { HASH_BYTES, nodeHash, sameBytes, splitPoint } from '../tree/node.hash.js';
import type { SubtreeHashes } from '../tree/subtree.hashes.js';
import { isTreeSize } from './tree.size.js';

export interface ConsistencyClaim {
  readonly olderSize: bigint;
  readonly olderRoot: Uint8Array;
  readonly newerSize: bigint;
  readonly newerRoot: Uint8Array;
  readonly proof: readonly Uint8Array[];
}

/**
 * RFC 9162 §2.1.4.2: the newer tree begins with the older one. Everything in the claim may be an attacker's; spare hashes are refused.
 * An older size of 0 is refused: every tree extends the empty one, so such a proof proves nothing and callers must not lean on it.
 */
export function verifyConsistency({ olderSize, olderRoot, newerSize, newerRoot, proof }: ConsistencyClaim): boolean {
  if (!isProofBetween(olderSize, newerSize, proof)) return false;
  if (olderRoot.length !== HASH_BYTES || newerRoot.length !== HASH_BYTES) return false;
  if (olderSize === newerSize) return proof.length === 0 && sameBytes(olderRoot, newerRoot);
  // When the older tree is one complete subtree, its root is the first node and is not sent.
  const roots = climb(olderSize, newerSize, isComplete(olderSize) ? [olderRoot, ...proof] : proof);
  return roots !== undefined && sameBytes(roots.older, olderRoot) && sameBytes(roots.newer, newerRoot);
}

/**
 * What a consistency proof shows of the newer tree by itself: the root of its first `olderSize` entries. Where a log has signed another root for them, its own proof convicts it.
 * @returns undefined when the proof does not lead to the newer root, or when the older tree is one complete subtree, whose root a proof does not hold
 */
export function provenOlderRoot({ olderSize, newerSize, newerRoot, proof }: Omit<ConsistencyClaim, 'olderRoot'>): Uint8Array | undefined {
  if (!isProofBetween(olderSize, newerSize, proof) || olderSize === newerSize || isComplete(olderSize)) return undefined;
  const roots = climb(olderSize, newerSize, proof);
  return roots && sameBytes(roots.newer, newerRoot) ? roots.older : undefined;
}

function isProofBetween(olderSize: bigint, newerSize: bigint, proof: readonly Uint8Array[]): boolean {
  if (!isTreeSize(olderSize) || !isTreeSize(newerSize) || olderSize === 0n || olderSize > newerSize) return false;
  return proof.every((hash) => hash.length === HASH_BYTES);
}

function isComplete(size: bigint): boolean {
  return (size & (size - 1n)) === 0n;
}

/** The two roots that the hashes lead to, if they are exactly as many as the sizes call for. */
function climb(
  olderSize: bigint,
  newerSize: bigint,
  [first, ...rest]: readonly Uint8Array[],
): { older: Uint8Array; newer: Uint8Array } | undefined {
  if (!first) return undefined;
  let node = olderSize - 1n;
  let last = newerSize - 1n;
  while (node & 1n) {
    node >>= 1n;
    last >>= 1n;
  }
  let older = first;
  let newer = first;
  for (const hash of rest) {
    if (last === 0n) return undefined;
    if (node & 1n || node === last) {
      older = nodeHash(hash, older);
      newer = nodeHash(hash, newer);
      while (!(node & 1n) && node !== 0n) {
        node >>= 1n;
        last >>= 1n;
      }
    } else {
      newer = nodeHash(newer, hash);
    }
    node >>= 1n;
    last >>= 1n;
  }
  return last === 0n ? { older, newer } : undefined;
}

/** RFC 9162 §2.1.4.1. @throws LedgerError 'out-of-range' unless 0 < older ≤ newer */
export function consistencyProof(tree: SubtreeHashes, older: bigint, newer: bigint): Uint8Array[] {
  if (older <= 0n || older > newer)
    throw new LedgerError('out-of-range', `there is no consistency proof from size ${older} to size ${newer}`);
  const path: Uint8Array[] = [];
  let begin = 0n;
  let end = newer;
  while (end !== older) {
    const middle = begin + splitPoint(end - begin);
    if (older <= middle) {
      path.push(tree.subtreeHash(middle, end));
      end = middle;
    } else {
      path.push(tree.subtreeHash(begin, middle));
      begin = middle;
    }
  }
  // At begin 0 this subtree is the older tree itself, whose root the verifier has.
  if (begin !== 0n) path.push(tree.subtreeHash(begin, end));
  return path.toReversed();
}
