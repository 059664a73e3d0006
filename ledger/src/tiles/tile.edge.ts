import { LedgerError } from '../errors/index.js';
import { emptyRoot, nodeHash, requireHash } from '../tree/node.hash.js';
import { TILE_WIDTH, levelCount } from './tile.path.js';
import { tileRoot } from './leaf.hashes.js';

/** A tile of 256 hashes (8,192 bytes). It never changes again. */
export interface FullTile {
  readonly level: number;
  readonly index: bigint;
  readonly hashes: Uint8Array;
}

/**
 * The right edge of a tiled log: the hashes of its one partial tile at every level, 255 a level at most. With the full tiles stored elsewhere it is all
 * that appending and the present root need, so memory does not grow with the log. It does not change: {@link extend} gives a new one, so that an edge
 * whose tiles could not be stored is simply not taken up.
 */
export class TileEdge {
  private constructor(
    readonly size: bigint,
    private readonly levels: readonly (readonly Uint8Array[])[],
  ) {}

  static empty(): TileEdge {
    return new TileEdge(0n, []);
  }

  /**
   * @param levels the hashes of the partial tile of each level, the leaves' first; a level whose tiles are all full has none
   * @throws LedgerError 'out-of-range' when they are not as many as `size` calls for, 'malformed-hash'
   */
  static resume(size: bigint, levels: readonly (readonly Uint8Array[])[]): TileEdge {
    if (size < 0n || levels.length !== levelCount(size))
      throw new LedgerError('out-of-range', `a tree of ${size} leaves does not have tiles at ${levels.length} levels`);
    for (const [level, hashes] of levels.entries()) {
      const expected = Number((size >> BigInt(8 * level)) & 255n);
      if (hashes.length !== expected)
        throw new LedgerError(
          'out-of-range',
          `the partial tile at level ${level} of ${size} leaves has ${expected} hashes, not ${hashes.length}`,
        );
      for (const hash of hashes) requireHash(hash, `a hash of the partial tile at level ${level}`);
    }
    return new TileEdge(size, levels);
  }

  /** @returns the edge with these leaf hashes behind it, and the tiles that became full, each before the one above it */
  extend(leaves: Iterable<Uint8Array>): { edge: TileEdge; full: FullTile[] } {
    const levels = this.levels.map((hashes) => [...hashes]);
    const full: FullTile[] = [];
    let { size } = this;
    for (const leaf of leaves) {
      size += 1n;
      let hash = requireHash(leaf, 'a leaf');
      for (let level = 0; ; level++) {
        const row = (levels[level] ??= []);
        row.push(hash);
        if (row.length < TILE_WIDTH) break;
        const hashes = new Uint8Array(Buffer.concat(row));
        full.push({ level, index: (size >> BigInt(8 * (level + 1))) - 1n, hashes });
        levels[level] = [];
        hash = tileRoot(hashes);
      }
    }
    return { edge: new TileEdge(size, levels), full };
  }

  /** The first `width` hashes of this partial tile; undefined when the edge does not have them, because the tile is full or not there yet. */
  partial(level: number, index: bigint, width: number): Uint8Array | undefined {
    const hashes = this.levels[level];
    if (hashes === undefined || index !== this.size >> BigInt(8 * (level + 1)) || width > hashes.length) return undefined;
    return new Uint8Array(Buffer.concat(hashes.slice(0, width)));
  }

  /** RFC 6962 §2.1 over all {@link size} leaves. */
  root(): Uint8Array {
    let root: Uint8Array | undefined;
    for (const hashes of this.levels) {
      // From the right: the smallest complete subtree first, as many hashes as the lowest one bit of what is left says.
      for (let end = hashes.length; end > 0; end &= end - 1) {
        const begin = end & (end - 1);
        const subtree = tileRoot(new Uint8Array(Buffer.concat(hashes.slice(begin, end))));
        root = root === undefined ? subtree : nodeHash(subtree, root);
      }
    }
    return root ?? emptyRoot();
  }
}
