import { parseStatement, type Statement } from '@coferment/consortium';
import { bytesToHex } from '@coferment/crypto';
import { type LedgerEntry, parseEntry, type VerifierKey, verifyEntry, WitnessRoll } from '@coferment/ledger';
import { AgentError } from '../agent.error.js';
import type { CoordinatorPort, LoggedEntry } from '../connection/coordinator.port.js';

/** Entries of one request. The largest are some tens of kilobytes, so that a page stays far below what a message may have. */
const PAGE = 64;

/** Statements by which sites themselves change who may cosign. */
const BY_SITES = ['urn:coferment:witness-key:v1', 'urn:coferment:site-left:v1'];

/** Where the operator froze a sum. */
export interface LoggedFreeze {
  index: number;
  digest: string;
}

/**
 * Reads the ledger from its beginning, and keeps of it what receipts are judged by: who may cosign, how many must, with which key each site signs, and where
 * each sum was frozen. Nothing is believed that the operator's key, or the enrolled key of the site, has not signed. In memory only: after a restart it is read
 * again, and only if a receipt is owed.
 */
export class LedgerFollower {
  readonly roll: WitnessRoll;
  readonly #operatorKey: string;
  readonly #siteKeys = new Map<string, string>();
  readonly #freezes = new Map<string, LoggedFreeze>();
  #read = 0;

  constructor(
    private readonly port: Pick<CoordinatorPort, 'ledgerEntries'>,
    private readonly consortium: string,
    operatorKey: Uint8Array,
    logKey: VerifierKey,
  ) {
    this.roll = new WitnessRoll(logKey.name);
    this.#operatorKey = bytesToHex(operatorKey);
  }

  freezeOf(run: string, sum: number): LoggedFreeze | undefined {
    return this.#freezes.get(freezeName(run, sum));
  }

  /** Reads what has been added. @throws AgentError 'malformed-response' for pages that are none */
  async catchUp(): Promise<void> {
    for (;;) {
      const page = await this.port.ledgerEntries(this.#read, PAGE);
      if (page.length > PAGE || page.some(({ index }, offset) => index !== this.#read + offset))
        throw new AgentError('malformed-response', `The ledger was asked for ${PAGE} entries from ${this.#read} on; other ones came.`);
      for (const logged of page) this.#follow(logged);
      this.#read += page.length;
      if (page.length < PAGE) return;
    }
  }

  #follow({ index, entry, payload }: LoggedEntry): void {
    const statement = this.#verified(entry, payload);
    if (statement === undefined) return;
    const { name, predicate, digest } = statement;
    this.roll.follow(statement);
    if (name === 'site-enrolled') this.#siteKeys.set(predicate.site, predicate.identityKey);
    else if (name === 'site-revoked' || name === 'site-left') this.#siteKeys.delete(predicate.site);
    // One sum is frozen once. A second freeze would be the operator's lie; the first one stays.
    else if (name === 'round-frozen' && this.freezeOf(predicate.run, predicate.sum) === undefined)
      this.#freezes.set(freezeName(predicate.run, predicate.sum), { index, digest });
  }

  /** The statement, if it is one of those that are followed and its signature is that of whoever may make it. */
  #verified(bytes: Uint8Array, payload: Uint8Array): Statement | undefined {
    try {
      const entry = parseEntry(bytes);
      if (!this.#isFollowed(entry, payload)) return undefined;
      verifyEntry(entry, payload);
      const statement = parseStatement(payload);
      const { name, predicate } = statement;
      if (predicate.consortium !== this.consortium) return undefined;
      const bySite = name === 'witness-key' || name === 'site-left';
      const signer = bySite ? this.#siteKeys.get(predicate.site) : this.#operatorKey;
      return signer === bytesToHex(entry.publicKey) ? statement : undefined;
    } catch {
      // What is not an entry, or not signed, says nothing; the audit of the whole ledger is where that is told.
      return undefined;
    }
  }

  /** Most entries are acts of sites in rounds, which need no second look here. */
  #isFollowed({ publicKey }: LedgerEntry, payload: Uint8Array): boolean {
    return bytesToHex(publicKey) === this.#operatorKey || BY_SITES.some((type) => Buffer.from(payload).includes(`"${type}"`));
  }
}

function freezeName(run: string, sum: number): string {
  return `${run}/${sum}`;
}
