import { type Statement, isLedgered, isOperatorStatement } from '@coferment/consortium';
import type { CheckedStatement } from './bundle.check.js';
import type { Recorded } from './evidence.js';
import { FactIndex } from './fact.index.js';
import { MemberKeys } from './member.keys.js';
import { ProblemList } from './problem.list.js';
import { type Finding, countOf } from './verification.report.js';

/**
 * Walks the log from its first entry and knows, at each, which key speaks for whom. The key inside an entry proves nothing by itself: it
 * must be the one that the log enrolled for the signer before this entry and has not revoked.
 */
export class SignatureCheck {
  readonly #list = new ProblemList();
  readonly #acts = new FactIndex();
  #members: MemberKeys;
  #consortium: string | undefined;
  #statements = 0;
  #enrolments = 0;

  constructor(private readonly expected: { readonly origin: string; readonly operatorKey?: string | undefined }) {
    this.#members = new MemberKeys(expected.operatorKey, this.#list);
  }

  get consortium(): string | undefined {
    return this.#consortium;
  }

  /** Hex: the expected one, or the one of the first entry. */
  get operatorKey(): string | undefined {
    return this.#members.operatorKey;
  }

  /** @returns the statement when its signature holds and it is not one that stood in the log before: a retry does not make a second act */
  follow({ index, publicKey, signatureFault, statement }: CheckedStatement): Recorded | undefined {
    const where = { index, name: statement.name };
    const { name, predicate } = statement;
    if (this.#statements++ === 0) this.#found(index, statement);
    const consortium = this.#consortium ?? predicate.consortium;
    if (!this.#list.require(predicate.consortium === consortium, where, `it is of another consortium, "${predicate.consortium}"`))
      return undefined;
    if (!this.#list.require(isLedgered(name), where, 'such a statement does not belong in the ledger')) return undefined;
    const signer = isOperatorStatement(name) ? 'the operator' : 'site' in predicate ? `"${predicate.site}"` : 'nobody';
    const enrolledKey = isOperatorStatement(name)
      ? this.operatorKey
      : 'site' in predicate
        ? this.#members.ofSite(predicate.site)
        : undefined;
    if (!this.#list.require(enrolledKey !== undefined, where, `${signer} has no enrolled key at this point of the log`)) return undefined;
    if (!this.#list.require(publicKey === enrolledKey, where, `it is signed by key ${publicKey}, but ${signer} had key ${enrolledKey}`))
      return undefined;
    if (signatureFault !== undefined) {
      this.#list.add(where, signatureFault);
      return undefined;
    }
    const isNew = this.#acts.note(statement.digest, index) === index;
    if (isNew && (name === 'site-enrolled' || name === 'auditor-enrolled')) this.#enrolments++;
    if (statement.name === 'consortium-founded') this.#checkFounding(index, statement);
    else this.#members.follow(statement, where);
    return isNew ? { ...statement, index, publicKey } : undefined;
  }

  finish(): Finding {
    return {
      detail: `${countOf(this.#statements, 'statement')}, ${countOf(this.#enrolments, 'enrolment')}`,
      problems: this.#list.problems,
    };
  }

  #found(index: number, first: Statement): void {
    if (first.name === 'consortium-founded' && index === 0) {
      this.#consortium = first.predicate.consortium;
      this.#members = new MemberKeys(this.expected.operatorKey ?? first.predicate.operatorKey, this.#list);
    } else this.#list.add({ index, name: first.name }, 'the first entry must found the consortium and name the operator key');
  }

  #checkFounding(index: number, founding: Statement<'consortium-founded'>): void {
    const where = { index, name: founding.name };
    const { operatorKey, origin } = founding.predicate;
    this.#list.require(index === 0, where, 'the consortium is founded a second time; its key can only stand in the first entry');
    this.#list.require(operatorKey === this.operatorKey, where, `it names operator key ${operatorKey}, expected is ${this.operatorKey}`);
    this.#list.require(
      origin === this.expected.origin,
      where,
      `it founds the log "${origin}", but the checkpoint is of "${this.expected.origin}"`,
    );
  }
}
