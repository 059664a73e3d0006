import { LedgerError } from '../errors/index.js';
import { HASH_BYTES, type SubtreeHashes, emptyRoot, leafHash, nodeHash } from '../tree/index.js';
import { decodeBundle } from './entry.bundle.js';
import { tileRoot } from './leaf.hashes.js';
import { type FoundTile, type ReadFile, readTile } from './tile.import.js';
import { type TileCoordinate, TILE_WIDTH, levelCount, tilePath } from './tile.path.js';

/** Full tiles kept beside the right edge: enough that a walk in order reads every parent once. */
const CACHED_TILES = 64;

const sameBytes = (a: Uint8Array, b: Uint8Array) => Buffer.compare(a, b) === 0;

/**
 * The hash tiles of a log, read one by one from a source that nobody trusts, each checked against the signed root before it is used: the right edge hashes to the root, and a
 * full tile hashes to its place in the tile above. Memory does not grow with the log.
 */
export class AuthenticTiles implements SubtreeHashes {
  /** Tiles that proofs may need, by path without width. */
  readonly #loaded = new Map<string, Uint8Array>();
  readonly #cache = new Map<string, Promise<Uint8Array>>();

  private constructor(
    private readonly read: ReadFile,
    readonly size: bigint,
    readonly root: Uint8Array,
  ) {}

  /** @throws LedgerError 'root-mismatch' when the source has other tiles than the root commits to; 'missing-resource'; 'malformed-tile' */
  static async open(read: ReadFile, { size, root }: { readonly size: bigint; readonly root: Uint8Array }): Promise<AuthenticTiles> {
    const tiles = new AuthenticTiles(read, size, root);
    for (let level = 0; level < levelCount(size); level++) {
      const index = size >> BigInt(8 * (level + 1));
      if (tiles.widthAt(level, index) > 0) tiles.#loaded.set(key(level, index), await tiles.#readTile(level, index));
    }
    if (!sameBytes(size === 0n ? emptyRoot() : tiles.subtreeHash(0n, size), root))
      throw new LedgerError(
        'root-mismatch',
        `The tiles at the right edge of a log of ${size} entries do not hash to the root in its signed checkpoint.`,
      );
    return tiles;
  }

  /** Hashes that a tile has in a log of this size: 0 (no such tile) to 256. */
  widthAt(level: number, index: bigint): number {
    const rest = (this.size >> BigInt(8 * level)) - index * BigInt(TILE_WIDTH);
    return rest <= 0n ? 0 : Number(rest < TILE_WIDTH ? rest : TILE_WIDTH);
  }

  /** The hashes of one tile, 32 bytes each. @throws LedgerError as {@link open}, with the tile and its entries named */
  async tile(level: number, index: bigint): Promise<Uint8Array> {
    const name = key(level, index);
    const edge = this.#loaded.get(name);
    if (edge) return edge;
    const cached = this.#cache.get(name);
    // Moved to the end: the map's order is the order of use.
    if (cached) this.#cache.delete(name);
    const tile = cached ?? this.#authenticTile(level, index);
    this.#cache.set(name, tile);
    if (this.#cache.size > CACHED_TILES) this.#cache.delete(this.#cache.keys().next().value!);
    return tile;
  }

  /** Makes {@link subtreeHash} answer for proofs about this leaf and about a tree of this size. */
  async loadPath(leaf: bigint): Promise<this> {
    for (let level = 0; level < levelCount(this.size); level++) {
      const index = leaf >> BigInt(8 * (level + 1));
      if (this.widthAt(level, index) > 0) this.#loaded.set(key(level, index), await this.tile(level, index));
    }
    return this;
  }

  /** The root of the first `size` entries. */
  async rootAt(size: bigint): Promise<Uint8Array> {
    if (size < 0n || size > this.size) throw new LedgerError('out-of-range', `size ${size} is not between 0 and ${this.size}`);
    return size === 0n ? emptyRoot() : (await this.loadPath(size)).subtreeHash(0n, size);
  }

  subtreeHash(begin: bigint, end: bigint): Uint8Array {
    const width = end - begin;
    const height = width.toString(2).length - 1;
    if (width === 1n << BigInt(height) && begin % width === 0n) {
      const level = Math.floor(height / 8);
      const first = begin >> BigInt(8 * level);
      const tile = this.#loaded.get(key(level, first >> 8n));
      if (!tile) throw new LedgerError('out-of-range', `leaves ${begin} to ${end} were not loaded`);
      const position = Number(first & 255n);
      return tileRoot(tile.subarray(position * HASH_BYTES, (position + (1 << (height - 8 * level))) * HASH_BYTES));
    }
    const middle = begin + (1n << BigInt((width - 1n).toString(2).length - 1));
    return nodeHash(this.subtreeHash(begin, middle), this.subtreeHash(middle, end));
  }

  /**
   * The entries of one bundle, each checked against the tree.
   * @param read where the bundle is, if elsewhere than the tiles
   * @throws LedgerError 'root-mismatch' that names the first entry that is another one; 'missing-resource'; 'malformed-tile'
   */
  async entries(index: bigint, read: ReadFile = this.read): Promise<Uint8Array[]> {
    const leaves = await this.tile(0, index);
    const width = this.widthAt(0, index);
    const { path, bytes, width: foundWidth } = await requireTile(read, { level: 'entries', index, width });
    const entries = decodeBundle(bytes, path);
    if (entries.length !== foundWidth)
      throw new LedgerError('malformed-tile', `${path} holds ${entries.length} entries instead of ${foundWidth}`);
    for (const [position, entry] of entries.slice(0, width).entries()) {
      if (!sameBytes(leafHash(entry), leaves.subarray(position * HASH_BYTES, (position + 1) * HASH_BYTES)))
        throw new LedgerError(
          'root-mismatch',
          `Entry ${index * BigInt(TILE_WIDTH) + BigInt(position)} (in ${path}) is not the one that the signed checkpoint commits to.`,
        );
    }
    return entries.slice(0, width);
  }

  async #authenticTile(level: number, index: bigint): Promise<Uint8Array> {
    const tile = await this.#readTile(level, index);
    const parent = await this.tile(level + 1, index >> 8n);
    const position = Number(index & 255n);
    if (!sameBytes(tileRoot(tile), parent.subarray(position * HASH_BYTES, (position + 1) * HASH_BYTES))) {
      const span = 1n << BigInt(8 * (level + 1));
      throw new LedgerError(
        'root-mismatch',
        `${tilePath({ level, index, width: TILE_WIDTH })} (entries ${index * span} to ${(index + 1n) * span - 1n}) is not the tile that the signed checkpoint commits to.`,
      );
    }
    return tile;
  }

  async #readTile(level: number, index: bigint): Promise<Uint8Array> {
    const width = this.widthAt(level, index);
    const { path, bytes, width: foundWidth } = await requireTile(this.read, { level, index, width });
    if (bytes.length !== foundWidth * HASH_BYTES)
      throw new LedgerError('malformed-tile', `${path} has ${bytes.length} bytes instead of ${foundWidth * HASH_BYTES}`);
    return bytes.subarray(0, width * HASH_BYTES);
  }
}

/**
 * The first entry that two logs, or two versions of one, do not have in common, as far as both reach. It compares downwards from the top: a few tiles, whatever the size.
 * @returns undefined when the shorter one is the beginning of the longer one
 * @throws LedgerError as {@link AuthenticTiles.open}
 */
export async function firstDifferingEntry(one: AuthenticTiles, other: AuthenticTiles): Promise<bigint | undefined> {
  const common = one.size < other.size ? one.size : other.size;
  let differing: bigint | undefined;
  for (let level = levelCount(common) - 1; level >= 0; level--) {
    // Below a differing hash all 256 are there in both; else what complete subtrees above do not cover is in one tile.
    const hashes = common >> BigInt(8 * level);
    const index: bigint = differing ?? hashes >> 8n;
    const width = differing === undefined ? Number(hashes & 255n) : TILE_WIDTH;
    differing = undefined;
    if (width === 0) continue;
    const [a, b] = [await one.tile(level, index), await other.tile(level, index)];
    for (let position = 0; position < width && differing === undefined; position++) {
      const [begin, end] = [position * HASH_BYTES, (position + 1) * HASH_BYTES];
      if (!sameBytes(a.subarray(begin, end), b.subarray(begin, end))) differing = index * BigInt(TILE_WIDTH) + BigInt(position);
    }
  }
  return differing;
}

async function requireTile(read: ReadFile, tile: TileCoordinate): Promise<FoundTile> {
  const found = await readTile(read, tile);
  if (found === undefined)
    throw new LedgerError('missing-resource', `${tilePath(tile)} is missing, although the signed checkpoint needs it.`);
  return found;
}

function key(level: number, index: bigint): string {
  return `${level}/${index}`;
}
