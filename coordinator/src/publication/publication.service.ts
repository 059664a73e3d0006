import { join } from 'node:path';
import type { DsseEnvelope } from '@coferment/crypto';
import { MerkleTree, entryFor, leafHash, signCheckpoint } from '@coferment/ledger';
import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { CoordinatorError } from '../errors/index.js';
import { ConsortiumIdentity } from '../identity/consortium.identity.js';
import { Database } from '../persistence/database.js';
import { Settings } from '../settings.js';
import { requireExtends, writeCheckpoint } from './checkpoint.file.js';
import type { LedgerEntryRow } from './ledger-entry.entity.js';
import { LedgerRepository } from './ledger.repository.js';

const PAGE = 256;

/** The transparency log: entries are appended inside the acts' transactions, checkpoints are signed over what is committed. */
@Injectable()
export class PublicationService {
  /** A cache of the committed entries' hashes. */
  readonly #tree = new MerkleTree();
  #checkpoint = '';
  #following: Promise<void> = Promise.resolve();

  constructor(
    private readonly database: Database,
    private readonly repository: LedgerRepository,
    private readonly identity: ConsortiumIdentity,
    private readonly settings: Settings,
  ) {}

  /** Reads the log and signs what is there; entries of a coordinator that was killed before it could sign are included. */
  async open(): Promise<void> {
    await this.#read();
    requireExtends(this.#file, this.#tree, this.identity.facts.logVkey);
    this.#sign();
  }

  async append(manager: EntityManager, envelope: DsseEnvelope, publicKey: Uint8Array): Promise<number> {
    return this.repository.append(manager, entryFor(envelope, publicKey), Buffer.from(envelope.payload, 'base64'));
  }

  /** Takes in what was committed since and signs a checkpoint over it. Calls queue up, so checkpoints only grow. */
  follow(): Promise<void> {
    this.#following = this.#following.then(async () => {
      const before = this.#tree.size;
      await this.#read();
      if (this.#tree.size > before) this.#sign();
    });
    return this.#following;
  }

  get size(): number {
    return Number(this.#tree.size);
  }

  get checkpoint(): string {
    return this.#checkpoint;
  }

  /** Never beyond the signed size, so that every entry handed out is covered by a checkpoint. */
  async entries(start: number, limit: number): Promise<LedgerEntryRow[]> {
    const count = Math.min(limit, PAGE, this.size - start);
    if (count <= 0) return [];
    return this.database.transaction((manager) => this.repository.entries(manager, start, count));
  }

  consistencyProof(older: number, newer: number): Uint8Array[] {
    if (!(older >= 1 && older <= newer && newer <= this.size)) {
      throw new CoordinatorError(
        'malformed',
        `There is no consistency proof from ${older} to ${newer}: the ledger has ${this.size} entries.`,
      );
    }
    return this.#tree.consistencyProof(BigInt(older), BigInt(newer));
  }

  get #file(): string {
    return join(this.settings.folder, 'checkpoint');
  }

  async #read(): Promise<void> {
    for (;;) {
      const rows = await this.database.transaction((manager) => this.repository.entries(manager, this.size, PAGE));
      for (const row of rows) this.#tree.append(leafHash(row.entry));
      if (rows.length < PAGE) return;
    }
  }

  #sign(): void {
    const { origin } = this.identity.facts;
    this.#checkpoint = signCheckpoint({ origin, size: this.#tree.size, root: this.#tree.root() }, this.identity.logSeed);
    writeCheckpoint(this.#file, this.#checkpoint);
  }
}
