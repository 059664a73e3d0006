import { LedgerError } from '../errors/index.js';
import { consistencyProof } from '../proof/consistency.proof.js';
import { inclusionProof } from '../proof/inclusion.proof.js';
import { emptyRoot, nodeHash, requireHash, splitPoint } from './node.hash.js';
import type { SubtreeHashes } from './subtree.hashes.js';

/**
 * A whole tree in memory (two hashes a leaf), which answers proofs between any of its sizes. Sizes and indexes are bigint, as on the wire;
 * a tree in memory is far below 2^53 leaves, so its own arrays are indexed by numbers.
 */
export class MerkleTree implements SubtreeHashes {
  /** `#levels[h][i]` is the hash of leaves [i·2^h, (i+1)·2^h): only complete subtrees, which never change. */
  readonly #levels: Uint8Array[][] = [[]];

  constructor(leaves: Iterable<Uint8Array> = []) {
    for (const leaf of leaves) this.append(leaf);
  }

  get size(): bigint {
    return BigInt(this.#levels[0]!.length);
  }

  /** Adds one leaf hash (32 bytes) and returns its index. */
  append(leaf: Uint8Array): bigint {
    const index = this.size;
    let hash = requireHash(leaf, 'a leaf');
    for (let height = 0; ; height++) {
      const level = (this.#levels[height] ??= []);
      level.push(hash);
      if (level.length % 2 === 1) return index;
      hash = nodeHash(level.at(-2)!, hash);
    }
  }

  /** The root of the first `size` leaves. @throws LedgerError 'out-of-range' */
  root(size: bigint = this.size): Uint8Array {
    this.#requireSize(size);
    return size === 0n ? emptyRoot() : this.subtreeHash(0n, size);
  }

  subtreeHash(begin: bigint, end: bigint): Uint8Array {
    if (begin < 0n || begin >= end || end > this.size) {
      throw new LedgerError('out-of-range', `leaves ${begin} to ${end} are not in a tree of ${this.size}`);
    }
    const width = end - begin;
    const height = width.toString(2).length - 1;
    if (width === 1n << BigInt(height) && begin % width === 0n) return this.#levels[height]![Number(begin / width)]!;
    const middle = begin + splitPoint(width);
    return nodeHash(this.subtreeHash(begin, middle), this.subtreeHash(middle, end));
  }

  /** RFC 9162 §2.1.3.1: the audit path of leaf `index` in the tree of the first `size` leaves. @throws LedgerError 'out-of-range' */
  inclusionProof(index: bigint, size: bigint = this.size): Uint8Array[] {
    this.#requireSize(size);
    return inclusionProof(this, index, size);
  }

  /** RFC 9162 §2.1.4.1: proof that the first `newer` leaves begin with the first `older`. @throws LedgerError 'out-of-range' */
  consistencyProof(older: bigint, newer: bigint = this.size): Uint8Array[] {
    this.#requireSize(newer);
    return consistencyProof(this, older, newer);
  }

  #requireSize(size: bigint): void {
    if (size < 0n || size > this.size) throw new LedgerError('out-of-range', `size ${size} is not between 0 and ${this.size}`);
  }
}
