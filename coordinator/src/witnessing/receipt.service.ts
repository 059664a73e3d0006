import { Injectable } from '@nestjs/common';
import { CoordinatorError } from '../errors/index.js';
import { LedgerLog } from '../publication/ledger.log.js';
import { PublicationService } from '../publication/publication.service.js';
import { WitnessingService } from './witnessing.service.js';

/** Proof that an entry is in the ledger. */
export interface EntryReceipt {
  index: number;
  entry: Uint8Array;
  /** RFC 9162; empty, like the checkpoint, while too few witnesses have cosigned one that covers the entry. */
  proof: Uint8Array[];
  checkpoint: string;
}

@Injectable()
export class ReceiptService {
  constructor(
    private readonly ledger: LedgerLog,
    private readonly publication: PublicationService,
    private readonly witnessing: WitnessingService,
  ) {}

  /** @param digest SHA-256 of the signed statement, hex. @throws CoordinatorError 'unknown-object' when the published ledger has no such entry */
  async of(digest: string): Promise<EntryReceipt> {
    await this.witnessing.freshen();
    const index = await this.ledger.find(digest);
    const [row] = index === undefined || index >= this.publication.size ? [] : await this.ledger.entries(index, 1);
    if (index === undefined || row === undefined)
      throw new CoordinatorError(
        'unknown-object',
        `The ledger has no statement with SHA-256 ${digest} among its ${this.publication.size} published entries.`,
      );
    const { witnessed } = this.witnessing;
    if (witnessed === undefined || index >= witnessed.size) return { index, entry: row.entry, proof: [], checkpoint: '' };
    return { index, entry: row.entry, proof: await this.ledger.inclusionProof(index, witnessed.size), checkpoint: witnessed.note };
  }
}
