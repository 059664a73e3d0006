import type { DsseEnvelope } from '@coferment/crypto';
import {
  HASH_BYTES,
  type HashTile,
  type SubtreeHashes,
  TILE_WIDTH,
  TileEdge,
  askTiles,
  consistencyProof,
  emptyRoot,
  encodeBundle,
  entryFor,
  inclusionProof,
  leafHash,
} from '@coferment/ledger';
import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { CoordinatorError } from '../errors/index.js';
import { Database } from '../persistence/database.js';
import { damaged } from './ledger.damage.js';
import type { LedgerEntryRow } from './ledger-entry.entity.js';
import { LedgerRepository } from './ledger.repository.js';
import { requireTile, storedEdge } from './stored.edge.js';
import { TileCache } from './tile.cache.js';
import { fullPath } from './tile.place.js';
import { TileRepository } from './tile.repository.js';

/** Entries that one call gives out. */
const PAGE = 256;
/** Entries that are taken in at once: four tiles of leaves. */
const FOLLOWED = 1024;
/** Half a megabyte. A proof in a million entries needs at most five stored tiles. */
const CACHED_TILES = 64;

/** An act as it is signed, with the key that it verifies under. */
export interface SignedEntry {
  readonly envelope: DsseEnvelope;
  readonly publicKey: Uint8Array;
}

/**
 * The entries and their tree. Entries are appended inside the transactions of the acts that they record; the tree follows what is committed: full tiles
 * lie in the database, the right edge in memory, so neither memory nor start-up grows with the ledger.
 */
@Injectable()
export class LedgerLog {
  #edge = TileEdge.empty();
  #resumed = false;
  readonly #cache = new TileCache(CACHED_TILES);

  constructor(
    private readonly database: Database,
    private readonly repository: LedgerRepository,
    private readonly tiles: TileRepository,
  ) {}

  /** Appends in the caller's transaction: acts and their entries exist together or not at all. One statement, consecutive indexes. @returns the index of the first */
  appendAll(manager: EntityManager, acts: readonly SignedEntry[]): Promise<number> {
    const entries = acts.map(({ envelope, publicKey }) => ({
      entry: Buffer.from(entryFor(envelope, publicKey)),
      payload: Buffer.from(envelope.payload, 'base64'),
    }));
    return this.repository.append(manager, entries);
  }

  /** Committed entries; nobody appends until the transaction ends. */
  lockedSize(manager: EntityManager): Promise<number> {
    return this.repository.lockedSize(manager);
  }

  /**
   * Takes in what was committed since. Not to be called twice at once. Tiles are stored before anything is signed over them, and those that a kill left
   * out are made again from the entries.
   * @throws CoordinatorError 'ledger-damaged' when an entry is missing, or a stored tile is not what the entries give
   */
  async follow(): Promise<void> {
    if (!this.#resumed) this.#edge = await this.database.transaction((manager) => storedEdge(manager, this.tiles));
    this.#resumed = true;
    for (;;) {
      const rows = await this.database.transaction((manager) => this.repository.bodies(manager, this.size, FOLLOWED));
      requireNoGap(rows, this.size, rows.length);
      const { edge, full } = this.#edge.extend(rows.map(({ entry }) => leafHash(entry)));
      if (full.length > 0) await this.database.transaction((manager) => this.tiles.put(manager, full));
      this.#edge = edge;
      if (rows.length < FOLLOWED) return;
    }
  }

  /** Entries that the tree has. */
  get size(): number {
    return Number(this.#edge.size);
  }

  /** The root of the first `size` entries. @throws CoordinatorError 'malformed', 'ledger-damaged' */
  async root(size: number = this.size): Promise<Uint8Array> {
    this.#require(size >= 0 && size <= this.size, `a root of ${size} entries`);
    if (size === 0) return emptyRoot();
    return size === this.size ? this.#edge.root() : this.#ask(size, (tree) => tree.subtreeHash(0n, BigInt(size)));
  }

  /** At most a page, never beyond {@link size}. @throws CoordinatorError 'ledger-damaged' */
  async entries(start: number, limit: number): Promise<LedgerEntryRow[]> {
    const count = Math.min(limit, PAGE, this.size - start);
    if (count <= 0) return [];
    const rows = await this.database.transaction((manager) => this.repository.entries(manager, start, count));
    requireNoGap(rows, start, count);
    return rows;
  }

  /** @throws CoordinatorError 'malformed', 'ledger-damaged' */
  async inclusionProof(index: number, size: number): Promise<Uint8Array[]> {
    this.#require(index >= 0 && index < size && size <= this.size, `an inclusion proof of entry ${index} in ${size}`);
    return this.#ask(size, (tree) => inclusionProof(tree, BigInt(index), BigInt(size)));
  }

  /** @throws CoordinatorError 'malformed', 'ledger-damaged' */
  async consistencyProof(older: number, newer: number): Promise<Uint8Array[]> {
    this.#require(older >= 1 && older <= newer && newer <= this.size, `a consistency proof from ${older} to ${newer}`);
    return this.#ask(newer, (tree) => consistencyProof(tree, BigInt(older), BigInt(newer)));
  }

  /**
   * A hash tile as it is stored, `width` · 32 bytes (C2SP tlog-tiles); undefined where the tree has none of this width. It may lie beyond what is signed.
   * @throws CoordinatorError 'ledger-damaged'
   */
  async tile(level: number, index: number, width: number): Promise<Uint8Array | undefined> {
    const hashes = Math.floor(this.size / TILE_WIDTH ** level);
    if (width < 1 || width > TILE_WIDTH || index * TILE_WIDTH + width > hashes) return undefined;
    const [bytes] = await this.#fetch([{ level, index: BigInt(index), width }]);
    return bytes;
  }

  /** The `width` entries from 256 · `index` on as a bundle (C2SP tlog-tiles); undefined where the ledger has not as many. It may lie beyond what is signed. */
  async entryBundle(index: number, width: number): Promise<Uint8Array | undefined> {
    const start = index * TILE_WIDTH;
    if (width < 1 || width > TILE_WIDTH || start + width > this.size) return undefined;
    const rows = await this.database.transaction((manager) => this.repository.bodies(manager, start, width));
    requireNoGap(rows, start, width);
    return encodeBundle(rows.map(({ entry }) => entry));
  }

  /** The signed statement with this SHA-256 (hex), whether or not it is signed over yet. */
  async payload(sha256: string): Promise<Uint8Array | undefined> {
    return (await this.#find(sha256))?.payload;
  }

  /** The index of the first entry over this statement (SHA-256 of its payload, hex), whether or not it is signed over yet. */
  async find(payloadDigest: string): Promise<number | undefined> {
    return (await this.#find(payloadDigest))?.index;
  }

  #find(sha256: string) {
    return this.database.transaction((manager) => this.repository.find(manager, Buffer.from(sha256, 'hex')));
  }

  #ask<T>(size: number, question: (tree: SubtreeHashes) => T): Promise<T> {
    return askTiles(BigInt(size), (tiles) => this.#fetch(tiles), question);
  }

  /** What the edge does not have is full, and stored: the edge is taken up only after its tiles were. */
  async #fetch(tiles: readonly HashTile[]): Promise<Uint8Array[]> {
    const found = new Map<HashTile, Uint8Array>();
    const stored: HashTile[] = [];
    for (const tile of tiles) {
      const hashes =
        this.#edge.partial(tile.level, tile.index, tile.width) ?? this.#cache.get(fullPath(tile))?.subarray(0, tile.width * HASH_BYTES);
      if (hashes === undefined) stored.push(tile);
      else found.set(tile, hashes);
    }
    const rows =
      stored.length === 0 ? new Map<string, Uint8Array>() : await this.database.transaction((manager) => this.tiles.get(manager, stored));
    for (const tile of stored) {
      const path = fullPath(tile);
      const hashes = requireTile(path, rows.get(path));
      this.#cache.put(path, hashes);
      found.set(tile, hashes.subarray(0, tile.width * HASH_BYTES));
    }
    return tiles.map((tile) => found.get(tile)!);
  }

  #require(condition: boolean, what: string): void {
    if (!condition) throw new CoordinatorError('malformed', `There is no such thing as ${what}: the ledger has ${this.size} entries.`);
  }
}

/** Entries behind a missing one would be taken for it. @throws CoordinatorError 'ledger-damaged' */
function requireNoGap(rows: readonly { index: number }[], start: number, count: number): void {
  for (let position = 0; position < count; position++)
    if (rows[position]?.index !== start + position) throw damaged(`Entry ${start + position} is missing from the database.`);
}
