import { HASH_BYTES } from '../tree/index.js';
import {
  type ReadFile,
  TILE_WIDTH,
  type TileCoordinate,
  TiledRoot,
  compareTile,
  readTile,
  tileRoot,
  tilesOfLevel,
} from '../tiles/index.js';
import type { OpenedCheckpoint } from '../note/index.js';
import type { CheckedBundle, NamedDifference } from './bundle.check.js';
import { differenceText } from './entry.difference.js';
import { ProblemList } from './problem.list.js';
import type { CheckProblem, Finding } from './verification.report.js';

/** So many changed entries are named in a whole log. */
const MAX_DIFFERENCES = 100;

/**
 * Compares entries, hash tiles and checkpoint of a log that comes bundle by bundle. Entries and tiles are stored apart from each other, so when one of them
 * still makes the root that was signed, the other one shows exactly what was changed.
 */
export class LogCheck {
  readonly #entries = new TiledRoot();
  readonly #tiles = new TiledRoot();
  readonly #tileProblems = new ProblemList();
  readonly #upper: UpperTiles;
  readonly #differences: NamedDifference[] = [];
  /** After a missing or additional entry every other one differs as well, which says nothing. */
  #isShifted = false;
  #hasAllTiles = true;
  #fault: CheckProblem | undefined;
  #read = 0;

  constructor(
    private readonly read: ReadFile,
    private readonly checkpoint: OpenedCheckpoint,
  ) {
    this.#upper = new UpperTiles(read, this.#tileProblems);
  }

  /** The root that the entries before the present bundle make with the first `hashes` of it. */
  rootWith(hashes: Uint8Array): Uint8Array {
    return this.#entries.rootWith(hashes);
  }

  /** @returns whether the log can be read further */
  async append(bundle: CheckedBundle): Promise<boolean> {
    const { leaves, root, tileProblem, logged, differences, fault } = bundle;
    this.#read += bundle.entries;
    this.#noteDifferences(differences);
    if (tileProblem) this.#tileProblems.add(tileProblem.path, tileProblem.problem);
    if (tileProblem || fault) this.#appendTile(logged);
    else this.#appendTile(leaves, root);
    if (fault) {
      this.#fault = fault;
      return false;
    }
    this.#entries.append(leaves, root);
    if (root) await this.#upper.append(root);
    return true;
  }

  /** The tiles from here on, whose entries cannot be read. */
  async appendTilesOnly(tiles: Iterable<TileCoordinate>): Promise<void> {
    for (const tile of tiles) {
      const found = await readTile(this.read, { ...tile, level: 0 });
      const isWhole = found !== undefined && found.bytes.length === found.width * HASH_BYTES;
      this.#appendTile(isWhole ? found.bytes.subarray(0, tile.width * HASH_BYTES) : undefined);
    }
  }

  async finish(): Promise<{ root: Finding; tiles?: Finding }> {
    if (this.#fault) {
      const problems = [this.#fault, ...this.#differenceProblems()];
      return { root: { detail: 'the entries cannot be read', problems } };
    }
    await this.#upper.finish();
    const tiles = { detail: `tiles of ${this.#read} leaves`, problems: this.#tileProblems.problems };
    const found = this.#entries.root();
    if (Buffer.compare(found, this.checkpoint.root) === 0) return { root: { detail: `${this.#read} entries` }, tiles };
    const mismatch = `they hash to ${hex(found)}, the checkpoint says ${hex(this.checkpoint.root)}`;
    const problems = [{ where: 'tile/entries', problem: mismatch }, ...this.#differenceProblems()];
    return { root: { detail: 'entries were changed', problems }, tiles };
  }

  #appendTile(hashes: Uint8Array | undefined, root?: Uint8Array): void {
    if (hashes === undefined) this.#hasAllTiles = false;
    else this.#tiles.append(hashes, hashes.length === TILE_WIDTH * HASH_BYTES ? (root ?? tileRoot(hashes)) : undefined);
  }

  #noteDifferences(differences: readonly NamedDifference[]): void {
    for (const found of differences) {
      if (this.#isShifted || this.#differences.length >= MAX_DIFFERENCES) return;
      this.#differences.push(found);
      this.#isShifted = ['missing', 'inserted', 'doubled'].includes(found.difference.is);
    }
  }

  /** Who is right, the tiles or the entries, and where they differ. */
  #differenceProblems(): CheckProblem[] {
    const named = this.#differences.map(({ difference, name }) => ({
      where: `entry ${difference.index}${name === undefined ? '' : ` (${name})`}`,
      problem: differenceText(difference),
    }));
    if (this.#hasAllTiles && Buffer.compare(this.#tiles.root(), this.checkpoint.root) === 0) return named;
    const tiles = this.#hasAllTiles ? 'the hash tiles do not make the root that was signed either' : 'hash tiles are missing too';
    if (named.length > 0) {
      const problem = `${tiles}: entries and tiles differ first at ${named[0]!.where}, but both may have been changed; compare with an earlier copy`;
      return [{ where: 'tile/0', problem }];
    }
    if (this.#fault) return [];
    const problem = `${tiles}, so both were changed; an earlier copy of this ledger (--earlier FOLDER) tells from which entry on`;
    return [{ where: 'tile/0', problem }];
  }
}

/** The tiles above level 0, each compared once the entries below it are known. */
class UpperTiles {
  /** Of each level from 1 on, the hashes since its last full tile. */
  readonly #pending: { hashes: Uint8Array[]; index: bigint }[] = [];

  constructor(
    private readonly read: ReadFile,
    private readonly problems: ProblemList,
  ) {}

  async append(hash: Uint8Array, level = 1): Promise<void> {
    const pending = (this.#pending[level - 1] ??= { hashes: [], index: 0n });
    pending.hashes.push(hash);
    if (pending.hashes.length < TILE_WIDTH) return;
    const full = await this.#compare(level);
    Object.assign(pending, { hashes: [], index: pending.index + 1n });
    await this.append(tileRoot(full), level + 1);
  }

  async finish(): Promise<void> {
    for (const [position, { hashes }] of this.#pending.entries()) if (hashes.length > 0) await this.#compare(position + 1);
  }

  async #compare(level: number): Promise<Uint8Array> {
    const { hashes, index } = this.#pending[level - 1]!;
    const expected = new Uint8Array(Buffer.concat(hashes));
    const { problem } = await compareTile(this.read, { level, index, width: hashes.length }, expected);
    if (problem) this.problems.add(problem.path, problem.problem);
    return expected;
  }
}

/** The bundles of a log from `first` on. */
export function* bundlesFrom(first: bigint, size: bigint): Generator<TileCoordinate> {
  for (const tile of tilesOfLevel('entries', size)) if (tile.index >= first) yield tile;
}

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');
