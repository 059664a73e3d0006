import { type Statement, isPseudonym } from '@coferment/consortium';
import { type ProblemList, type Recorded } from './evidence.js';

type Where = Pick<Recorded, 'index' | 'name'>;

/** Who speaks with which key at one point of the log. Sites and auditors share one space of names and keys: no key ever speaks for two. */
export class MemberKeys {
  readonly #sites = new Map<string, string>();
  readonly #auditors = new Map<string, string>();
  #hidesNames = false;
  #authorities = 0;

  constructor(
    private readonly operatorKey: string | undefined,
    private readonly list: ProblemList,
  ) {}

  ofSite(site: string): string | undefined {
    return this.#sites.get(site);
  }

  /** Takes in what a verified statement changes. */
  follow({ name, predicate }: Statement, where: Where): void {
    if (name === 'site-enrolled') {
      this.#requireFree(predicate.site, predicate.identityKey, where);
      this.list.require(!this.#auditors.has(predicate.site), where, `"${predicate.site}" is an auditor, and enrolled as a site now`);
      this.list.require(
        !this.#hidesNames || isPseudonym(predicate.site),
        where,
        `"${predicate.site}" is no pseudonym, but the charter says that sites have them`,
      );
      this.#sites.set(predicate.site, predicate.identityKey);
    } else if (name === 'site-revoked' || name === 'site-left') {
      this.list.require(this.#sites.delete(predicate.site), where, `"${predicate.site}" was not enrolled`);
    } else if (name === 'auditor-enrolled') {
      this.#requireFree(predicate.auditor, predicate.identityKey, where);
      this.list.require(!this.#sites.has(predicate.auditor), where, `"${predicate.auditor}" is a site, and enrolled as an auditor now`);
      this.#auditors.set(predicate.auditor, predicate.identityKey);
    } else if (name === 'auditor-revoked') {
      this.list.require(this.#auditors.delete(predicate.auditor), where, `"${predicate.auditor}" was not enrolled`);
    } else if (name === 'charter') {
      // Everybody joins under it, so it stands before everybody, and never changes.
      this.list.require(where.index === 1, where, 'the charter can only stand in the second entry, before any member');
      this.#hidesNames = predicate.siteNames === 'pseudonyms';
    } else if (name === 'authorities') {
      this.list.require(
        predicate.sequence > this.#authorities,
        where,
        `it has the sequence number ${predicate.sequence}, but ${this.#authorities} was there already`,
      );
      this.#authorities = Math.max(this.#authorities, predicate.sequence);
    }
  }

  #requireFree(member: string, identityKey: string, where: Where): void {
    const known = [...this.#sites, ...this.#auditors].find(([, key]) => key === identityKey)?.[0];
    const owner = identityKey === this.operatorKey ? 'the operator' : known;
    this.list.require(owner === undefined || owner === member, where, `the key enrolled for "${member}" is that of ${owner} already`);
  }
}
