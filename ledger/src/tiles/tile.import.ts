import { LedgerError } from '../errors/index.js';
import { HASH_BYTES, type MerkleTree } from '../tree/index.js';
import { decodeBundle } from './entry.bundle.js';
import { tileBytes } from './tile.export.js';
import { type TileCoordinate, TILE_WIDTH, levelCount, tilePath, tilesOfLevel } from './tile.path.js';

/** The bytes at a path relative to the log's prefix, or undefined where there is nothing. */
export type ReadFile = (path: string) => Promise<Uint8Array | undefined> | Uint8Array | undefined;

export interface TileProblem {
  readonly path: string;
  readonly problem: string;
}

/**
 * Reads the first `size` entries. Nothing is verified: compare their root with a checkpoint.
 * @throws LedgerError 'missing-resource', 'malformed-tile'
 */
export async function readEntries(read: ReadFile, size: bigint): Promise<Uint8Array[]> {
  const entries: Uint8Array[] = [];
  for (const tile of tilesOfLevel('entries', size)) {
    const { path, bytes, width } = await readTile(read, tile);
    const bundle = decodeBundle(bytes, path);
    if (bundle.length !== width) {
      throw new LedgerError('malformed-tile', `${path} holds ${bundle.length} entries instead of ${width}; fetch it again`);
    }
    // One by one: spreading a whole log into one call would exceed the argument limit.
    for (const entry of bundle.slice(0, tile.width)) entries.push(entry);
  }
  return entries;
}

/** Compares every hash tile of a log of `tree.size` entries with the tree that its entries make. Nothing is trusted; an empty list means agreement. */
export async function compareTiles(read: ReadFile, tree: MerkleTree): Promise<TileProblem[]> {
  const problems: TileProblem[] = [];
  for (let level = 0; level < levelCount(tree.size); level++) {
    for (const tile of tilesOfLevel(level, tree.size)) {
      const problem = await compareTile(read, tree, { ...tile, level });
      if (problem) problems.push(problem);
    }
  }
  return problems;
}

async function compareTile(read: ReadFile, tree: MerkleTree, tile: TileCoordinate & { level: number }): Promise<TileProblem | undefined> {
  let found: FoundTile;
  try {
    found = await readTile(read, tile);
  } catch (error) {
    if (error instanceof LedgerError) return { path: tilePath(tile), problem: 'it is missing' };
    throw error;
  }
  const { path, bytes, width } = found;
  if (bytes.length !== width * HASH_BYTES) return { path, problem: `it has ${bytes.length} bytes instead of ${width * HASH_BYTES}` };
  const expected = tileBytes(tree, tile);
  for (let position = 0; position < tile.width; position++) {
    const [begin, end] = [position * HASH_BYTES, (position + 1) * HASH_BYTES];
    if (Buffer.compare(expected.subarray(begin, end), bytes.subarray(begin, end)) !== 0) {
      const giver = tile.level === 0 ? `entry ${tile.index * BigInt(TILE_WIDTH) + BigInt(position)} gives` : 'the entries give';
      return { path, problem: `hash ${position} is not the one that ${giver}` };
    }
  }
  return undefined;
}

interface FoundTile {
  readonly path: string;
  readonly bytes: Uint8Array;
  readonly width: number;
}

/** A log may drop a partial tile once the full one is there, so the full one is the fallback. */
async function readTile(read: ReadFile, tile: TileCoordinate): Promise<FoundTile> {
  for (const width of new Set([tile.width, TILE_WIDTH])) {
    const path = tilePath({ ...tile, width });
    const bytes = await read(path);
    if (bytes) return { path, bytes, width };
  }
  throw new LedgerError('missing-resource', `${tilePath(tile)} is missing; export the log again`);
}
