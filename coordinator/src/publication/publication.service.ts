import { join } from 'node:path';
import type { DsseEnvelope } from '@coferment/crypto';
import { signCheckpoint } from '@coferment/ledger';
import { Injectable, type OnModuleDestroy } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { ConsortiumIdentity } from '../identity/consortium.identity.js';
import { Settings } from '../settings.js';
import { isOfRoll } from '../witnessing/roll.statements.js';
import { WitnessingRepository } from '../witnessing/witnessing.repository.js';
import { requireSameFounding } from '../identity/charter.rule.js';
import { requireExtends, writeCheckpoint } from './checkpoint.file.js';
import type { LedgerEntryRow } from './ledger-entry.entity.js';
import { LedgerLog, type SignedEntry } from './ledger.log.js';
import { retryMs } from './retry.pause.js';

/** The transparency log as others see it: nothing of it is handed out before a signed checkpoint covers it. */
@Injectable()
export class PublicationService implements OnModuleDestroy {
  #checkpoint = '';
  #size = 0;
  #signedMs = 0;
  #following: Promise<void> = Promise.resolve();
  #failures = 0;
  #again: NodeJS.Timeout | undefined;
  #stopped = false;
  readonly #listeners = new Set<() => void>();

  constructor(
    private readonly log: LedgerLog,
    private readonly identity: ConsortiumIdentity,
    private readonly settings: Settings,
    private readonly witnessing: WitnessingRepository,
  ) {}

  /** Reads the log and signs what is there; entries of a coordinator that was killed before it could sign are included. */
  async open(): Promise<void> {
    await this.log.follow();
    // Before anything is signed: with these keys it would be another consortium's ledger.
    requireSameFounding((await this.log.entries(0, 1))[0], this.identity.facts, this.settings.folder);
    await requireExtends(this.#file, this.log, this.identity.facts.logVkey);
    await this.#sign();
  }

  append(manager: EntityManager, envelope: DsseEnvelope, publicKey: Uint8Array): Promise<void> {
    return this.appendAll(manager, [{ envelope, publicKey }]);
  }

  /** Entries that are committed, also by other coordinators. Nobody appends until the transaction ends. */
  lockedSize(manager: EntityManager): Promise<number> {
    return this.log.lockedSize(manager);
  }

  /** In the transaction of the acts: they and their entries exist together or not at all. */
  async appendAll(manager: EntityManager, acts: readonly SignedEntry[]): Promise<void> {
    if (acts.length === 0) return;
    const first = await this.log.appendAll(manager, acts);
    for (const [offset, { envelope }] of acts.entries()) {
      const payload = Buffer.from(envelope.payload, 'base64');
      if (isOfRoll(payload)) await this.witnessing.addToRoll(manager, { index: first + offset, payload });
    }
  }

  /** Called after every checkpoint that was signed. */
  watch(listener: () => void): void {
    this.#listeners.add(listener);
  }

  /** Takes in what was committed since and signs a checkpoint over it. Calls queue up, so checkpoints only grow. */
  follow(): Promise<void> {
    const following = this.#following.then(async () => {
      await this.log.follow();
      if (this.log.size > this.#size) await this.#sign();
      this.#failures = 0;
      clearTimeout(this.#again);
    });
    this.#following = following.catch(() => this.#followAgain());
    return following;
  }

  async onModuleDestroy(): Promise<void> {
    this.#stopped = true;
    clearTimeout(this.#again);
    await this.#following;
  }

  /** What failed is its caller's to tell. What was committed is signed all the same, though no other act may ever come. */
  #followAgain(): void {
    clearTimeout(this.#again);
    if (this.#stopped) return;
    this.#again = setTimeout(() => void this.follow().catch(() => undefined), retryMs(this.#failures++));
  }

  /** Entries under the signed checkpoint. */
  get size(): number {
    return this.#size;
  }

  get checkpoint(): string {
    return this.#checkpoint;
  }

  /** When it was signed, or signed again by a coordinator that was started. */
  get signedMs(): number {
    return this.#signedMs;
  }

  /** Never beyond the signed size, so that every entry handed out is covered by a checkpoint. */
  entries(start: number, limit: number): Promise<LedgerEntryRow[]> {
    return this.log.entries(start, Math.min(limit, this.#size - start));
  }

  /** @throws CoordinatorError 'malformed' */
  consistencyProof(older: number, newer: number): Promise<Uint8Array[]> {
    return this.log.consistencyProof(older, newer);
  }

  get #file(): string {
    return join(this.settings.folder, 'checkpoint');
  }

  async #sign(): Promise<void> {
    const { size } = this.log;
    const root = await this.log.root(size);
    const checkpoint = signCheckpoint({ origin: this.identity.facts.origin, size: BigInt(size), root }, this.identity.logSeed);
    // On the disk before anybody can be told: after a restart nothing smaller may be shown.
    writeCheckpoint(this.#file, checkpoint);
    this.#checkpoint = checkpoint;
    this.#size = size;
    this.#signedMs = Date.now();
    for (const tell of this.#listeners) tell();
  }
}
