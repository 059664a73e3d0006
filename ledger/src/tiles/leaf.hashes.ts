import { HASH_BYTES, MerkleFrontier, leafHash, nodeHash } from '../tree/index.js';

/** The leaf hashes of entries, 32 bytes each, one behind the other: the content of their level-0 tile. */
export function leavesOf(entries: readonly Uint8Array[]): Uint8Array {
  const leaves = new Uint8Array(entries.length * HASH_BYTES);
  for (const [position, entry] of entries.entries()) leaves.set(leafHash(entry), position * HASH_BYTES);
  return leaves;
}

export function hashAt(hashes: Uint8Array, position: number): Uint8Array {
  return hashes.subarray(position * HASH_BYTES, (position + 1) * HASH_BYTES);
}

/** The root over 2^k hashes of complete subtrees, such as those of a full tile: the hash that the tile above has for it. */
export function tileRoot(hashes: Uint8Array): Uint8Array {
  let level = Array.from({ length: hashes.length / HASH_BYTES }, (_, position) => hashAt(hashes, position));
  while (level.length > 1) level = Array.from({ length: level.length / 2 }, (_, pair) => nodeHash(level[2 * pair]!, level[2 * pair + 1]!));
  // A copy: a single hash would keep the whole tile in memory.
  return Uint8Array.from(level[0]!);
}

/** The root of a log that is read tile by tile, in the memory of one tile's hashes: complete tiles count as leaves of the tree above them. */
export class TiledRoot {
  readonly #full = MerkleFrontier.empty();
  #rest = MerkleFrontier.empty();

  /** Takes the next tile's hashes; only the last tile may be partial. @param root of a full tile, where it is known */
  append(hashes: Uint8Array, root?: Uint8Array): void {
    if (root !== undefined) this.#full.append(root);
    else this.#rest = frontierOf(hashes);
  }

  root(): Uint8Array {
    return this.#rootWith(this.#rest);
  }

  /** The root in which the tile that comes next has only these hashes. */
  rootWith(hashes: Uint8Array): Uint8Array {
    return this.#rootWith(frontierOf(hashes));
  }

  #rootWith(rest: MerkleFrontier): Uint8Array {
    const [full, last] = [this.#full.subtrees, rest.subtrees];
    if (full.length === 0) return rest.root();
    return [...full, ...last].reduceRight((right, left) => nodeHash(left, right));
  }
}

function frontierOf(hashes: Uint8Array): MerkleFrontier {
  const frontier = MerkleFrontier.empty();
  for (let position = 0; position < hashes.length / HASH_BYTES; position++) frontier.append(hashAt(hashes, position));
  return frontier;
}
