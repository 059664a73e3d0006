import { LedgerError } from '../errors/index.js';
import { HASH_BYTES, nodeHash, splitPoint } from '../tree/node.hash.js';
import type { SubtreeHashes } from '../tree/subtree.hashes.js';
import { tileRoot } from './leaf.hashes.js';
import { type TileCoordinate, TILE_WIDTH, tilePath } from './tile.path.js';

/** A tile of hashes, as opposed to a bundle of entries. */
export interface HashTile extends TileCoordinate {
  readonly level: number;
}

/** Gives tiles in the order in which they are asked for, each `width` · 32 bytes long. Where they come from need not be trusted: proofs are verified. */
export type FetchTiles = (tiles: readonly HashTile[]) => Promise<readonly Uint8Array[]>;

/** A tile covers eight heights of the tree: 2^8 hashes below, one hash for the level above. */
const TILE_HEIGHT = 8;

/**
 * Answers a question about a tree of `size` leaves from the few tiles that the question touches: at most two a level, so seven for an inclusion proof
 * in a million entries.
 * @param ask the question, e.g. `(tree) => inclusionProof(tree, index, size)`. It is put twice, first to learn the tiles, so it must depend on nothing
 * but the tree, and must not branch on a hash.
 * @throws LedgerError 'out-of-range' when the question reaches beyond `size`, 'malformed-tile' when a tile has another length than it must have
 */
export async function askTiles<T>(size: bigint, fetch: FetchTiles, ask: (tree: SubtreeHashes) => T): Promise<T> {
  const touched = new TouchedTiles(size);
  ask(touched);
  const tiles = [...touched.tiles.values()];
  return ask(new FetchedTiles(size, tiles, await fetch(tiles)));
}

/** The tile at this place in a tree of `size` leaves, full or partial. @throws LedgerError 'out-of-range' where there is none */
export function hashTile(level: number, index: bigint, size: bigint): HashTile {
  const width = (size >> BigInt(TILE_HEIGHT * level)) - index * BigInt(TILE_WIDTH);
  if (width <= 0n) throw new LedgerError('out-of-range', `a tree of ${size} leaves has no tile ${index} at level ${level}`);
  return { level, index, width: width < TILE_WIDTH ? Number(width) : TILE_WIDTH };
}

/** Where a complete subtree lies: `count` hashes of one tile from `position` on. */
interface TilePart {
  readonly tile: HashTile;
  readonly position: number;
  readonly count: number;
}

/** Cuts a range of leaves as RFC 6962 does until every piece is a complete subtree, which never crosses a tile. */
abstract class TiledSubtrees implements SubtreeHashes {
  constructor(private readonly size: bigint) {}

  protected abstract hashOf(part: TilePart): Uint8Array;

  subtreeHash(begin: bigint, end: bigint): Uint8Array {
    if (begin < 0n || begin >= end || end > this.size) {
      throw new LedgerError('out-of-range', `leaves ${begin} to ${end} are not in a tree of ${this.size}`);
    }
    const width = end - begin;
    const height = width.toString(2).length - 1;
    if (width !== 1n << BigInt(height) || begin % width !== 0n) {
      const middle = begin + splitPoint(width);
      return nodeHash(this.subtreeHash(begin, middle), this.subtreeHash(middle, end));
    }
    const level = Math.floor(height / TILE_HEIGHT);
    const first = begin >> BigInt(TILE_HEIGHT * level);
    const tile = hashTile(level, first / BigInt(TILE_WIDTH), this.size);
    return this.hashOf({ tile, position: Number(first % BigInt(TILE_WIDTH)), count: 1 << (height % TILE_HEIGHT) });
  }
}

class TouchedTiles extends TiledSubtrees {
  readonly tiles = new Map<string, HashTile>();

  protected hashOf({ tile }: TilePart): Uint8Array {
    this.tiles.set(tilePath(tile), tile);
    return new Uint8Array(HASH_BYTES);
  }
}

class FetchedTiles extends TiledSubtrees {
  readonly #bytes = new Map<string, Uint8Array>();

  constructor(size: bigint, tiles: readonly HashTile[], bytes: readonly Uint8Array[]) {
    super(size);
    for (const [position, tile] of tiles.entries()) {
      const [path, length] = [tilePath(tile), bytes[position]?.length ?? 0];
      if (length !== tile.width * HASH_BYTES) {
        throw new LedgerError('malformed-tile', `${path} has ${length} bytes instead of ${tile.width * HASH_BYTES}; fetch it again`);
      }
      this.#bytes.set(path, bytes[position]!);
    }
  }

  protected hashOf({ tile, position, count }: TilePart): Uint8Array {
    return tileRoot(this.#bytes.get(tilePath(tile))!.subarray(position * HASH_BYTES, (position + count) * HASH_BYTES));
  }
}
