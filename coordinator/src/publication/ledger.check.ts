import { type Checkpoint, HASH_BYTES, LedgerError, TILE_WIDTH, TileEdge, leafHash, parseEntry, verifyEntry } from '@coferment/ledger';
import type { Database } from '../persistence/database.js';
import type { LedgerEntryRow } from './ledger-entry.entity.js';
import { tileDifference } from './ledger.damage.js';
import type { LedgerRepository } from './ledger.repository.js';
import { TILE_BYTES, fullPath } from './tile.place.js';
import type { TileRepository } from './tile.repository.js';

/** A ledger that is damaged all over is not listed row by row. */
const MOST_PROBLEMS = 100;

export interface CheckedLedger {
  entries: number;
  /** Entries that the published checkpoint covers. */
  published: number;
  /** Each names a row and says what is wrong with it; empty when everything agrees. At most a hundred. */
  problems: string[];
}

export interface LedgerTables {
  database: Database;
  entries: LedgerRepository;
  tiles: TileRepository;
}

/**
 * Compares every row of the ledger with every other one that says something about it: statement, entry and signature, stored tiles, published checkpoint.
 * @param published the last checkpoint that was signed, if any was
 * @param progress told after every page
 */
export async function checkLedger(
  tables: LedgerTables,
  published: Checkpoint | undefined,
  progress: (read: number, size: number) => void = () => {},
): Promise<CheckedLedger> {
  const check = new LedgerCheck(tables, published);
  await check.read(progress);
  return check.result();
}

/** An entry and the stored hash of it that do not agree, until it is known which of the two is as it was published. */
interface Disagreement {
  readonly entry: number;
  readonly tile: string;
  readonly position: number;
}

class LedgerCheck {
  readonly #problems: string[] = [];
  readonly #disagreements: Disagreement[] = [];
  /** The tree that the entries give, with stored hashes for those that are missing; and the one that the stored tiles give. */
  #byEntries = TileEdge.empty();
  #byTiles = TileEdge.empty();
  #roots: { byEntries: Uint8Array; byTiles: Uint8Array } | undefined;
  #size = 0;
  /** Entries whose hashes are in stored tiles. */
  #tiled = 0;

  constructor(
    private readonly tables: LedgerTables,
    private readonly published: Checkpoint | undefined,
  ) {}

  async read(progress: (read: number, size: number) => void): Promise<void> {
    const { database, entries, tiles } = this.tables;
    await database.transaction(async (manager) => {
      this.#size = await entries.size(manager);
      this.#tiled = Number(await tiles.count(manager)) * TILE_WIDTH;
    });
    this.#takeRoots();
    for (let start = 0; start < this.#size && this.#problems.length < MOST_PROBLEMS; start += TILE_WIDTH) {
      const whole = await this.#readTile(start);
      progress(Math.min(start + TILE_WIDTH, this.#size), this.#size);
      if (!whole) return;
    }
    const beyond = await database.transaction((manager) => entries.bodies(manager, this.#size, 1));
    if (beyond.length > 0)
      this.#problems.push(`ledger_head says that there are ${this.#size} entries, but there is entry ${beyond[0]!.index}.`);
  }

  result(): CheckedLedger {
    const published = Number(this.published?.size ?? 0n);
    return { entries: this.#size, published, problems: [...this.#problems, ...this.#judged(published)].slice(0, MOST_PROBLEMS) };
  }

  /** One tile of leaves with its entries. @returns false when a hash is nowhere to be had, so that nothing after it can be compared */
  async #readTile(start: number): Promise<boolean> {
    const { database, entries, tiles } = this.tables;
    const place = { level: 0, index: BigInt(start / TILE_WIDTH) };
    const [rows, stored] = await database.transaction(async (manager) => [
      await entries.entries(manager, start, TILE_WIDTH),
      start < this.#tiled ? (await tiles.get(manager, [place])).get(fullPath(place)) : undefined,
    ]);
    const usable = stored?.length === TILE_BYTES ? stored : undefined;
    if (start < this.#tiled && usable === undefined)
      this.#problems.push(
        `${fullPath(place)} ${stored === undefined ? 'is missing' : `has ${stored.length} bytes instead of ${TILE_BYTES}`}.`,
      );
    const byIndex = new Map(rows.map((row) => [row.index, row]));
    for (let index = start; index < Math.min(start + TILE_WIDTH, this.#size); index++) {
      const kept = usable?.subarray((index - start) * HASH_BYTES, (index - start + 1) * HASH_BYTES);
      const given = this.#leafOf(index, byIndex.get(index));
      if (given !== undefined && kept !== undefined && Buffer.compare(given, kept) !== 0)
        this.#disagreements.push({ entry: index, tile: fullPath(place), position: index - start });
      const [entry, tile] = [given ?? kept, kept ?? given];
      if (entry === undefined || tile === undefined) return false;
      await this.#extend(entry, tile);
    }
    return true;
  }

  /** The hash of an entry, having checked the row for itself. */
  #leafOf(index: number, row: LedgerEntryRow | undefined): Uint8Array | undefined {
    if (row === undefined) {
      this.#problems.push(`Entry ${index} is missing.`);
      return undefined;
    }
    try {
      verifyEntry(parseEntry(row.entry), row.payload);
    } catch (error) {
      if (!(error instanceof LedgerError)) throw error;
      this.#problems.push(`Entry ${index}: ${error.message}.`);
    }
    return leafHash(row.entry);
  }

  async #extend(byEntry: Uint8Array, byTile: Uint8Array): Promise<void> {
    ({ edge: this.#byEntries } = this.#byEntries.extend([byEntry]));
    const { edge, full } = this.#byTiles.extend([byTile]);
    this.#byTiles = edge;
    this.#takeRoots();
    for (const tile of full) {
      if (tile.level === 0 || Number(edge.size) > this.#tiled) continue;
      const stored = await this.tables.database.transaction((manager) => this.tables.tiles.get(manager, [tile]));
      const difference = tileDifference(tile, stored.get(fullPath(tile)));
      if (difference !== undefined) this.#problems.push(difference);
    }
  }

  #takeRoots(): void {
    if (this.#byTiles.size === this.published?.size) this.#roots = { byEntries: this.#byEntries.root(), byTiles: this.#byTiles.root() };
  }

  /** The published root decides which of two rows was changed, where it can. */
  #judged(published: number): string[] {
    const holds = (root: Uint8Array | undefined) => root !== undefined && Buffer.compare(root, this.published!.root) === 0;
    const tilesHold = holds(this.#roots?.byTiles);
    const entriesHold = holds(this.#roots?.byEntries);
    const named = this.#disagreements.map(({ entry, tile, position }) => {
      if (tilesHold) return `Entry ${entry} is not the one that was published; hash ${position} of ${tile} is as it was.`;
      if (entriesHold) return `Hash ${position} of ${tile} is not that of entry ${entry}, which is as it was published.`;
      return `Entry ${entry} and hash ${position} of ${tile} do not agree: one of the two rows was changed.`;
    });
    if (named.length > 0 || this.#problems.length > 0 || this.published === undefined || tilesHold) return named;
    if (published > this.#size) return [`The published checkpoint has ${published} entries, and the database ${this.#size}.`];
    if (this.#tiled >= published) return [`The first ${published} entries agree with each other, but not with the published checkpoint.`];
    return [
      `Entries ${this.#tiled} to ${published - 1} are not as they were published, or not in that order. No full tile has their hashes, so it cannot be said which.`,
    ];
  }
}
