import { type Statement, isPseudonym } from '@coferment/consortium';
import type { Place, ProblemList } from './problem.list.js';

/**
 * Who speaks with which key at one point of the log. Sites and auditors share one space of names and keys: no key ever speaks for two, and none that
 * witnesses the log does anything else.
 */
export class MemberKeys {
  readonly #sites = new Map<string, string>();
  readonly #auditors = new Map<string, string>();
  /** Whose identity key it is, of all that are enrolled. */
  readonly #owners = new Map<string, string>();
  /** Every witness key that was ever given, with its site. */
  readonly #witnesses = new Map<string, string>();
  #hidesNames = false;
  #authorities = 0;

  constructor(
    readonly operatorKey: string | undefined,
    private readonly list: ProblemList,
  ) {}

  ofSite(site: string): string | undefined {
    return this.#sites.get(site);
  }

  /** Takes in what a verified statement changes. */
  follow({ name, predicate }: Statement, where: Place): void {
    if (name === 'site-enrolled') {
      this.#requireFree(predicate.site, predicate.identityKey, where);
      this.list.require(!this.#auditors.has(predicate.site), where, `"${predicate.site}" is an auditor, and enrolled as a site now`);
      this.list.require(
        !this.#hidesNames || isPseudonym(predicate.site),
        where,
        `"${predicate.site}" is no pseudonym, but the charter says that sites have them`,
      );
      this.#enrol(this.#sites, predicate.site, predicate.identityKey, where);
    } else if (name === 'site-revoked' || name === 'site-left') {
      this.#strike(this.#sites, predicate.site, where);
    } else if (name === 'auditor-enrolled') {
      this.#requireFree(predicate.auditor, predicate.identityKey, where);
      this.list.require(!this.#sites.has(predicate.auditor), where, `"${predicate.auditor}" is a site, and enrolled as an auditor now`);
      this.#enrol(this.#auditors, predicate.auditor, predicate.identityKey, where);
    } else if (name === 'auditor-revoked') {
      this.#strike(this.#auditors, predicate.auditor, where);
    } else if (name === 'witness-key') {
      const owner = this.#ownerOf(predicate.key) ?? this.#witnesses.get(predicate.key);
      const isOwn = owner === predicate.site && this.#witnesses.get(predicate.key) === predicate.site;
      this.list.require(
        owner === undefined || isOwn,
        where,
        `the witness key of "${predicate.site}" is ${this.#ownerOf(predicate.key) === undefined ? 'the witness key' : 'the identity key'} of ${owner} already`,
      );
      if (owner === undefined) this.#witnesses.set(predicate.key, predicate.site);
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

  /** An operator that may give a member another key while it has one can sign for it whatever it likes. The key that was there goes on to count. */
  #enrol(members: Map<string, string>, member: string, identityKey: string, where: Place): void {
    const known = members.get(member) ?? identityKey;
    const isFirst = this.list.require(
      known === identityKey,
      where,
      `"${member}" is enrolled with key ${known} and was not revoked, and gets key ${identityKey}`,
    );
    if (!isFirst) return;
    members.set(member, identityKey);
    if (!this.#owners.has(identityKey)) this.#owners.set(identityKey, member);
  }

  #strike(members: Map<string, string>, member: string, where: Place): void {
    const key = members.get(member);
    if (!this.list.require(key !== undefined, where, `"${member}" was not enrolled`)) return;
    members.delete(member);
    if (this.#owners.get(key!) === member) this.#owners.delete(key!);
  }

  #requireFree(member: string, identityKey: string, where: Place): void {
    const owner = this.#ownerOf(identityKey);
    this.list.require(owner === undefined || owner === member, where, `the key enrolled for "${member}" is that of ${owner} already`);
    const witness = this.#witnesses.get(identityKey);
    this.list.require(witness === undefined, where, `the key enrolled for "${member}" is the witness key of ${witness} already`);
  }

  #ownerOf(key: string): string | undefined {
    return key === this.operatorKey ? 'the operator' : this.#owners.get(key);
  }
}
