import { LedgerError } from '../errors/index.js';
import { HASH_BYTES, type MerkleTree } from '../tree/index.js';
import { decodeBundle } from './entry.bundle.js';
import { hashAt } from './leaf.hashes.js';
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
    // One by one: spreading a whole log into one call would exceed the argument limit.
    for (const entry of await readBundle(read, tile)) entries.push(entry);
  }
  return entries;
}

/**
 * The entries of one bundle; those that a full one has beyond the width are left out.
 * @throws LedgerError 'missing-resource', 'malformed-tile'
 */
export async function readBundle(read: ReadFile, tile: TileCoordinate): Promise<Uint8Array[]> {
  const found = await readTile(read, tile);
  if (!found) throw new LedgerError('missing-resource', `${tilePath(tile)} is missing; export the log again`);
  const { path, bytes, width } = found;
  const bundle = decodeBundle(bytes, path);
  if (bundle.length !== width) throw wrongCount(path, bundle.length, width);
  return bundle.slice(0, tile.width);
}

export function wrongCount(path: string, found: number, width: number): LedgerError {
  return new LedgerError('malformed-tile', `${path} holds ${found} entries instead of ${width}; fetch it again`);
}

/** Compares every hash tile of a log of `tree.size` entries with the tree that its entries make. Nothing is trusted; an empty list means agreement. */
export async function compareTiles(read: ReadFile, tree: MerkleTree): Promise<TileProblem[]> {
  const problems: TileProblem[] = [];
  for (let level = 0; level < levelCount(tree.size); level++) {
    for (const tile of tilesOfLevel(level, tree.size)) {
      const { problem } = await compareTile(read, { ...tile, level }, tileBytes(tree, { ...tile, level }));
      if (problem) problems.push(problem);
    }
  }
  return problems;
}

/**
 * Compares one hash tile with the hashes that it should have.
 * @returns what is wrong with it, and the hashes that it has (without those beyond its width), where it has any
 */
export async function compareTile(
  read: ReadFile,
  tile: TileCoordinate & { level: number },
  expected: Uint8Array,
): Promise<{ problem?: TileProblem; stored?: Uint8Array }> {
  const found = await readTile(read, tile);
  if (!found) return { problem: { path: tilePath(tile), problem: 'it is missing' } };
  const { path, bytes, width } = found;
  if (bytes.length !== width * HASH_BYTES)
    return { problem: { path, problem: `it has ${bytes.length} bytes instead of ${width * HASH_BYTES}` } };
  const stored = bytes.subarray(0, tile.width * HASH_BYTES);
  const position = firstDifference(expected, stored);
  if (position === undefined) return { stored };
  const giver = tile.level === 0 ? `entry ${tile.index * BigInt(TILE_WIDTH) + BigInt(position)} gives` : 'the entries give';
  return { stored, problem: { path, problem: `hash ${position} is not the one that ${giver}` } };
}

/** The first position at which two lists of hashes differ; a list that ends early differs there. */
export function firstDifference(left: Uint8Array, right: Uint8Array): number | undefined {
  if (Buffer.compare(left, right) === 0) return undefined;
  for (let position = 0; ; position++) {
    if (Buffer.compare(hashAt(left, position), hashAt(right, position)) !== 0) return position;
  }
}

export interface FoundTile {
  readonly path: string;
  readonly bytes: Uint8Array;
  readonly width: number;
}

/** A log may drop a partial tile once the full one is there, so the full one is the fallback. */
export async function readTile(read: ReadFile, tile: TileCoordinate): Promise<FoundTile | undefined> {
  for (const width of new Set([tile.width, TILE_WIDTH])) {
    const path = tilePath({ ...tile, width });
    const bytes = await read(path);
    if (bytes) return { path, bytes, width };
  }
  return undefined;
}
