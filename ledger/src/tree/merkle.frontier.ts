import { LedgerError } from '../errors/index.js';
import { emptyRoot, nodeHash, requireHash } from './node.hash.js';

/**
 * The right edge of a tree: one hash for every complete subtree, the largest first. Enough to append and to know the root, in 64 hashes at
 * most, so a log can go on after a restart without reading its entries again.
 */
export class MerkleFrontier {
  #size: bigint;
  readonly #subtrees: Uint8Array[];

  private constructor(size: bigint, subtrees: Uint8Array[]) {
    this.#size = size;
    this.#subtrees = subtrees;
  }

  static empty(): MerkleFrontier {
    return new MerkleFrontier(0n, []);
  }

  /**
   * Takes up a stored frontier.
   * @param subtrees what {@link subtrees} gave: 32 bytes each, as many as `size` has one bits
   * @throws LedgerError 'out-of-range' when count and size do not agree
   */
  static resume(size: bigint, subtrees: readonly Uint8Array[]): MerkleFrontier {
    if (size < 0n) throw new LedgerError('out-of-range', `a tree cannot have ${size} leaves`);
    const expected = size.toString(2).replaceAll('0', '').length;
    if (subtrees.length !== expected) {
      throw new LedgerError(
        'out-of-range',
        `a tree of ${size} leaves has ${expected} complete subtrees, not ${subtrees.length}; rebuild it from the entries`,
      );
    }
    return new MerkleFrontier(
      size,
      subtrees.map((hash) => requireHash(hash, 'a subtree of the frontier')),
    );
  }

  get size(): bigint {
    return this.#size;
  }

  /** Hashes of the complete subtrees, the largest (leftmost) first. */
  get subtrees(): readonly Uint8Array[] {
    return [...this.#subtrees];
  }

  /** Adds one leaf hash; each trailing one bit of the old size is one merge, as in binary counting. */
  append(leaf: Uint8Array): void {
    let hash = requireHash(leaf, 'a leaf');
    for (let rest = this.#size; rest & 1n; rest >>= 1n) {
      hash = nodeHash(this.#subtrees.pop()!, hash);
    }
    this.#subtrees.push(hash);
    this.#size += 1n;
  }

  root(): Uint8Array {
    return this.#subtrees.length === 0 ? emptyRoot() : this.#subtrees.reduceRight((right, left) => nodeHash(left, right));
  }
}
