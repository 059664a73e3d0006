import { type DsseEnvelope } from '@coferment/crypto';
import { MerkleTree, entryFor, leafHash } from '@coferment/ledger';
import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { CoordinatorError } from '../errors/index.js';
import { Database } from '../persistence/database.js';
import type { LedgerEntryRow } from './ledger-entry.entity.js';
import { LedgerRepository } from './ledger.repository.js';

const PAGE = 256;

/** The entries and their tree. Entries are appended inside the transactions of the acts that they record; the tree follows what is committed. */
@Injectable()
export class LedgerLog {
  /** A cache of the committed entries' hashes. */
  readonly #tree = new MerkleTree();

  constructor(
    private readonly database: Database,
    private readonly repository: LedgerRepository,
  ) {}

  /** Appends in the caller's transaction: the act and its entry exist together or not at all. @returns the entry's index */
  append(manager: EntityManager, envelope: DsseEnvelope, publicKey: Uint8Array): Promise<number> {
    return this.repository.append(manager, entryFor(envelope, publicKey), Buffer.from(envelope.payload, 'base64'));
  }

  /** Takes in what was committed since. Not to be called twice at once. */
  async follow(): Promise<void> {
    for (;;) {
      const rows = await this.database.transaction((manager) => this.repository.entries(manager, this.size, PAGE));
      for (const row of rows) this.#tree.append(leafHash(row.entry));
      if (rows.length < PAGE) return;
    }
  }

  /** Entries that the tree has. */
  get size(): number {
    return Number(this.#tree.size);
  }

  /** The root of the first `size` entries. @throws CoordinatorError 'malformed' */
  async root(size: number = this.size): Promise<Uint8Array> {
    this.#require(size >= 0 && size <= this.size, `a root of ${size} entries`);
    return this.#tree.root(BigInt(size));
  }

  /** At most a page, never beyond {@link size}. */
  async entries(start: number, limit: number): Promise<LedgerEntryRow[]> {
    const count = Math.min(limit, PAGE, this.size - start);
    if (count <= 0) return [];
    return this.database.transaction((manager) => this.repository.entries(manager, start, count));
  }

  /** @throws CoordinatorError 'malformed' */
  async inclusionProof(index: number, size: number): Promise<Uint8Array[]> {
    this.#require(index >= 0 && index < size && size <= this.size, `an inclusion proof of entry ${index} in ${size}`);
    return this.#tree.inclusionProof(BigInt(index), BigInt(size));
  }

  /** @throws CoordinatorError 'malformed' */
  async consistencyProof(older: number, newer: number): Promise<Uint8Array[]> {
    this.#require(older >= 1 && older <= newer && newer <= this.size, `a consistency proof from ${older} to ${newer}`);
    return this.#tree.consistencyProof(BigInt(older), BigInt(newer));
  }

  #require(condition: boolean, what: string): void {
    if (!condition) throw new CoordinatorError('malformed', `There is no such thing as ${what}: the ledger has ${this.size} entries.`);
  }
}
