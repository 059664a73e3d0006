import { statfs } from 'node:fs/promises';
import { Injectable } from '@nestjs/common';
import type { StoredPurpose } from '../objects/object.entity.js';
import { ObjectRepository } from '../objects/object.repository.js';
import { Database } from '../persistence/database.js';
import { LedgerRepository } from '../publication/ledger.repository.js';
import { PublicationService } from '../publication/publication.service.js';
import { Settings } from '../settings.js';
import { Metrics } from '../telemetry/metrics.js';
import { WitnessingService } from '../witnessing/witnessing.service.js';

const PURPOSES: Record<StoredPurpose, true> = {
  'dealing-masked': true,
  'dealing-box': true,
  ciphertext: true,
  'decryption-share': true,
  published: true,
};
/** Adding up the objects reads a row of each, which a scrape every few seconds need not cost. */
const OBJECTS_AT_MOST_EVERY_MS = 60_000;

/** How far the ledger is, and how much is stored. */
@Injectable()
export class StoreGauges {
  #objectsReadMs = Number.NEGATIVE_INFINITY;

  constructor(
    private readonly database: Database,
    private readonly entries: LedgerRepository,
    private readonly publication: PublicationService,
    private readonly witnessing: WitnessingService,
    private readonly objects: ObjectRepository,
    private readonly settings: Settings,
    private readonly metrics: Metrics,
  ) {}

  async refresh(): Promise<void> {
    const { diskFree, diskSize, connections, waitingTransactions } = this.metrics;
    const { busy, idle, waiting } = this.database.connections();
    connections.set({ state: 'busy' }, busy);
    connections.set({ state: 'idle' }, idle);
    waitingTransactions.set(waiting);
    const disk = await statfs(this.settings.folder);
    diskFree.set(disk.bavail * disk.bsize);
    diskSize.set(disk.blocks * disk.bsize);
    await this.#ledger();
    if (performance.now() - this.#objectsReadMs >= OBJECTS_AT_MOST_EVERY_MS) await this.#objects();
  }

  async #ledger(): Promise<void> {
    const { ledger, ledgerSigned, cosignatures } = this.metrics;
    const stored = await this.database.transaction((manager) => this.entries.size(manager));
    const { current, witnessed, published } = this.witnessing;
    ledger.set({ stage: 'stored' }, stored);
    ledger.set({ stage: 'signed' }, this.publication.size);
    ledger.set({ stage: 'offered' }, current?.size ?? 0);
    ledger.set({ stage: 'cosigned' }, witnessed?.size ?? 0);
    ledger.set({ stage: 'published' }, published?.size ?? 0);
    ledgerSigned.set(this.publication.signedMs / 1000);
    const had = current === undefined ? 0 : current.electorate.keys.filter((key) => current.isCosignedBy(key)).length;
    cosignatures.set({ of: 'had' }, had);
    cosignatures.set({ of: 'needed' }, current?.electorate.quorum ?? 0);
  }

  async #objects(): Promise<void> {
    const { objects, objectBytes } = this.metrics;
    const totals = await this.database.transaction((manager) => this.objects.totals(manager));
    for (const purpose of Object.keys(PURPOSES)) {
      const total = totals.find((row) => row.purpose === purpose);
      objects.set({ purpose }, total?.objects ?? 0);
      objectBytes.set({ purpose }, total?.bytes ?? 0);
    }
    this.#objectsReadMs = performance.now();
  }
}
