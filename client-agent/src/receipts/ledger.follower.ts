import { parseStatement, type Statement } from '@coferment/consortium';
import { bytesToHex, sha256Hex } from '@coferment/crypto';
import { type LedgerEntry, parseEntry, type VerifierKey, verifyEntry, WitnessRoll } from '@coferment/ledger';
import { AgentError } from '../agent.error.js';
import type { CoordinatorPort, LoggedEntry } from '../connection/coordinator.port.js';
import { isRollAct } from '../witness/roll.reading.js';

/** Entries of one request. The largest are some tens of kilobytes, so that a page stays far below what a message may have. */
const PAGE = 64;

/** Statements by which sites themselves change who may cosign. */
const BY_SITES = ['urn:coferment:witness-key:v1', 'urn:coferment:site-left:v1'];

/** Where the operator froze a sum. */
export interface LoggedFreeze {
  index: number;
  digest: string;
}

/** What is kept of the entries that were read. */
interface ReadLedger {
  entries: number;
  /** SHA-256 of the last of them. */
  lastEntry: string;
  /** In the order of the ledger. */
  rollActs: { index: number; statement: Statement }[];
  siteKeys: Map<string, string>;
  freezes: Map<string, LoggedFreeze>;
}

function nothingRead(): ReadLedger {
  return { entries: 0, lastEntry: '', rollActs: [], siteKeys: new Map(), freezes: new Map() };
}

/**
 * Reads the ledger from its beginning, and keeps of it what receipts are judged by: who may cosign, how many must, with which key each site signs, and where
 * each sum was frozen. Nothing is believed that the operator's key, or the enrolled key of the site, has not signed. In memory only: after a restart it is read
 * again, and only if a receipt is owed.
 */
export class LedgerFollower {
  readonly #operatorKey: string;
  #read: ReadLedger = nothingRead();

  constructor(
    private readonly port: Pick<CoordinatorPort, 'ledgerEntries'>,
    private readonly consortium: string,
    operatorKey: Uint8Array,
    private readonly logKey: VerifierKey,
  ) {
    this.#operatorKey = bytesToHex(operatorKey);
  }

  freezeOf(run: string, sum: number): LoggedFreeze | undefined {
    return this.#read.freezes.get(freezeName(run, sum));
  }

  /** How many entries were read. */
  get size(): number {
    return this.#read.entries;
  }

  /** Who may cosign by the first `size` entries, and how many must: a checkpoint is judged by what stands below it, not by who came or left since. */
  rollAt(size: number): WitnessRoll {
    const roll = new WitnessRoll(this.logKey.name);
    for (const { index, statement } of this.#read.rollActs) if (index < size) roll.follow(statement);
    return roll;
  }

  /**
   * Reads what has been added. Where another entry stands than the one that was read last, the coordinator was restored from a backup: nothing of before holds, and the
   * ledger is read anew.
   * @throws AgentError 'malformed-response' for pages that are none
   */
  async catchUp(): Promise<void> {
    const { entries, lastEntry } = this.#read;
    if (entries > 0) {
      const [last] = await this.port.ledgerEntries(entries - 1, 1);
      if (last === undefined || sha256Hex(last.entry) !== lastEntry) this.#read = nothingRead();
    }
    for (;;) {
      const start = this.#read.entries;
      const page = await this.port.ledgerEntries(start, PAGE);
      if (page.length > PAGE || page.some(({ index }, offset) => index !== start + offset))
        throw new AgentError('malformed-response', `The ledger was asked for ${PAGE} entries from ${start} on; other ones came.`);
      for (const logged of page) this.#follow(logged);
      this.#read.entries += page.length;
      const last = page.at(-1);
      if (last !== undefined) this.#read.lastEntry = sha256Hex(last.entry);
      if (page.length < PAGE) return;
    }
  }

  #follow({ index, entry, payload }: LoggedEntry): void {
    const statement = this.#verified(entry, payload);
    if (statement === undefined) return;
    const { name, predicate, digest } = statement;
    const { siteKeys, freezes, rollActs } = this.#read;
    if (isRollAct(statement)) rollActs.push({ index, statement });
    if (name === 'site-enrolled') siteKeys.set(predicate.site, predicate.identityKey);
    else if (name === 'site-revoked' || name === 'site-left') siteKeys.delete(predicate.site);
    // One sum is frozen once. A second freeze would be the operator's lie; the first one stays.
    else if (name === 'round-frozen' && this.freezeOf(predicate.run, predicate.sum) === undefined)
      freezes.set(freezeName(predicate.run, predicate.sum), { index, digest });
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
      const signer = bySite ? this.#read.siteKeys.get(predicate.site) : this.#operatorKey;
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
