import type { Predicate, Statement } from '@coferment/consortium';
import { bytesToHex, hexToBytes } from '@coferment/crypto';
import { type VerifierKey, encodeVkey, parseVkey, verifierKey } from '../note/index.js';

/** What a site's key is called in notes: its log, then itself. */
export function witnessName(origin: string, site: string): string {
  return `${origin}/${site}`;
}

/**
 * Who may cosign, and how many must, by the charter and the enrolments of a log up to some entry. Give it only statements whose signatures hold. It is what the log
 * says of itself: against an operator who forks the log, only a policy from outside of it helps.
 */
export class WitnessRoll {
  readonly #sites = new Set<string>();
  readonly #keys = new Map<string, VerifierKey>();
  #outside: readonly VerifierKey[] = [];
  #quorum: Predicate<'charter'>['witnessQuorum'] = 0;

  constructor(private readonly origin: string) {}

  follow({ name, predicate }: Statement): void {
    if (name === 'charter') {
      this.#quorum = predicate.witnessQuorum;
      this.#outside = predicate.witnesses.map(parseVkey);
    } else if (name === 'site-enrolled') {
      this.#sites.add(predicate.site);
      // A new identity brings a key of its own.
      this.#keys.delete(predicate.site);
    } else if (name === 'site-revoked' || name === 'site-left') {
      this.#sites.delete(predicate.site);
      this.#keys.delete(predicate.site);
    } else if (name === 'witness-key') {
      this.#keys.set(predicate.site, verifierKey('witness', witnessName(this.origin, predicate.site), hexToBytes(predicate.key)));
    }
  }

  /** Cosignatures that a checkpoint needs now. */
  get quorum(): number {
    return this.#quorum === 'majority' ? Math.floor(this.#sites.size / 2) + 1 : this.#quorum;
  }

  /**
   * Of sites in the order in which they gave them, then of witnesses outside the consortium. Whoever holds one key is one witness, however many names it has: the
   * first name counts, and one that the charter gives counts before any of a site.
   */
  get keys(): readonly VerifierKey[] {
    const held = new Set<string>();
    const isFirst = ({ publicKey }: VerifierKey) => held.size < held.add(bytesToHex(publicKey)).size;
    const outside = this.#outside.filter(isFirst);
    return [...[...this.#keys.values()].filter(isFirst), ...outside];
  }

  isMetBy(verifiedBy: readonly VerifierKey[]): boolean {
    const known = new Set(this.keys.map(encodeVkey));
    return new Set(verifiedBy.map(encodeVkey).filter((vkey) => known.has(vkey))).size >= this.quorum;
  }

  /** C2SP tlog-policy text. @param logVkey the log's own key */
  policyText(logVkey: string): string {
    const { quorum, keys } = this;
    const witnesses = keys.map((key, index) => `witness w${index + 1} ${encodeVkey(key)}`);
    const names = keys.map((_, index) => `w${index + 1}`);
    const head = [`log ${logVkey}`, ...witnesses];
    if (quorum === 0) return [...head, 'quorum none', ''].join('\n');
    // A quorum that nobody can meet has no form in a policy, so the reader is told.
    if (quorum > keys.length)
      return [...head, `# The charter asks for ${quorum} witnesses; ${keys.length} are known so far.`, 'quorum none', ''].join('\n');
    return [...head, `group witnesses ${quorum} ${names.join(' ')}`, 'quorum witnesses', ''].join('\n');
  }
}
