import { MerkleTree, leafHash } from '../tree/index.js';
import { encodeBundle } from './entry.bundle.js';
import { type TileCoordinate, TILE_WIDTH, levelCount, tilePath, tilesOfLevel } from './tile.path.js';

/** Puts bytes at a path relative to the log's prefix. Paths use `/`. */
export type WriteFile = (path: string, bytes: Uint8Array) => Promise<void> | void;

/** The bytes of a hash tile: its hashes one behind the other. The tree must reach to the tile's end. */
export function tileBytes(tree: MerkleTree, { level, index, width }: TileCoordinate & { level: number }): Uint8Array {
  const span = 1n << BigInt(8 * level);
  const first = index * BigInt(TILE_WIDTH);
  const hashes = Array.from({ length: width }, (_, position) => {
    const begin = (first + BigInt(position)) * span;
    return tree.subtreeHash(begin, begin + span);
  });
  return new Uint8Array(Buffer.concat(hashes));
}

/**
 * Writes all hash tiles and entry bundles of a log (C2SP tlog-tiles), partial ones only at the right edge.
 * @returns the tree over the entries
 */
export async function exportTiles(write: WriteFile, entries: readonly Uint8Array[]): Promise<MerkleTree> {
  const tree = new MerkleTree(entries.map(leafHash));
  for (const tile of tilesOfLevel('entries', tree.size)) {
    const first = Number(tile.index) * TILE_WIDTH;
    await write(tilePath(tile), encodeBundle(entries.slice(first, first + tile.width)));
  }
  for (let level = 0; level < levelCount(tree.size); level++) {
    for (const tile of tilesOfLevel(level, tree.size)) await write(tilePath(tile), tileBytes(tree, { ...tile, level }));
  }
  return tree;
}
