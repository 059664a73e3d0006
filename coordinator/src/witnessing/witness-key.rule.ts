import type { Statement } from '@coferment/consortium';
import { bytesToHex } from '@coferment/crypto';
import { parseVkey } from '@coferment/ledger';
import { CoordinatorError } from '../errors/index.js';

type WitnessKey = Statement<'witness-key'>;

/** A site needs another key when its store was lost or copied. Each is an entry for good, that everybody reads. */
const MOST_KEYS = 8;

/** What a site has declared since it joined. */
interface Declared {
  /** Digest of the act that holds. */
  held?: string;
  count: number;
}

/** Every key that the ledger knows for anything, and who cosigns with which. */
export class WitnessKeys {
  readonly #sites = new Map<string, Declared>();
  /** The site that cosigns or cosigned with a key; undefined for keys that sign other things. */
  readonly #owners = new Map<string, string | undefined>();

  /** @param others keys that sign other things: the operator's, the log's */
  constructor(others: readonly string[]) {
    for (const key of others) this.#owners.set(key, undefined);
  }

  /** Takes in the next statement of the ledger that says who may cosign. */
  follow(statement: Statement): void {
    if (statement.name === 'charter')
      for (const vkey of statement.predicate.witnesses) this.#owners.set(bytesToHex(parseVkey(vkey).publicKey), undefined);
    if (statement.name === 'site-enrolled') {
      this.#owners.set(statement.predicate.identityKey, undefined);
      // Whoever joins under the name again brings a key of its own.
      this.#sites.set(statement.predicate.site, { count: 0 });
    }
    if (statement.name !== 'witness-key') return;
    const { site, key } = statement.predicate;
    this.#sites.set(site, { held: statement.digest, count: (this.#sites.get(site)?.count ?? 0) + 1 });
    if (!this.#owners.has(key)) this.#owners.set(key, site);
  }

  /**
   * Whether a site's witness key is new and may be written down; false when it is the one that the site has.
   * @throws CoordinatorError 'identity-taken', 'already-different', 'forbidden'
   */
  admit({ predicate: { site, key }, digest }: WitnessKey): boolean {
    const declared = this.#sites.get(site);
    const isKnown = this.#owners.has(key);
    if (isKnown && this.#owners.get(key) !== site)
      throw new CoordinatorError(
        'identity-taken',
        `The witness key ${key.slice(0, 16)}… of "${site}" signs something else already. A key that cosigns does nothing else: make another.`,
      );
    if (declared?.held === digest) return false;
    if (isKnown)
      throw new CoordinatorError(
        'already-different',
        `The witness key ${key.slice(0, 16)}… of "${site}" was replaced, and what was replaced does not come back: make another.`,
      );
    if (declared !== undefined && declared.count >= MOST_KEYS)
      throw new CoordinatorError(
        'forbidden',
        `"${site}" has declared ${declared.count} witness keys since it joined, and the ledger takes no more. It cosigns with the last one, or joins again.`,
      );
    return true;
  }
}
