import { type Statement, isLedgered, isOperatorStatement } from '@coferment/consortium';
import { bytesToHex } from '@coferment/crypto';
import { type LedgerEntry, verifyEntry } from '../entry/index.js';
import { Evidence, ProblemList, type Recorded } from './evidence.js';
import { MemberKeys } from './member.keys.js';
import { type Finding, countOf } from './verification.report.js';

export interface SignedStatement {
  readonly index: number;
  readonly entry: LedgerEntry;
  readonly payload: Uint8Array;
  readonly statement: Statement;
}

export interface Enrolment {
  readonly finding: Finding;
  readonly evidence: Evidence;
  readonly consortium: string | undefined;
  readonly operatorKey: string | undefined;
}

/**
 * Walks the log from its first entry and knows, at each, which key speaks for whom. The key inside an entry proves nothing by itself: it
 * must be the one that the log enrolled for the signer before this entry and has not revoked.
 */
export function checkSignatures(
  statements: readonly SignedStatement[],
  expected: {
    readonly origin: string;
    readonly operatorKey?: string | undefined;
    readonly onStatement?: ((statement: Recorded) => void) | undefined;
  },
): Enrolment {
  const evidence = new Evidence();
  const list = new ProblemList();
  const founding = statements[0]?.statement;
  const founded = founding?.name === 'consortium-founded' && statements[0]!.index === 0 ? founding.predicate : undefined;
  const operatorKey = expected.operatorKey ?? founded?.operatorKey;
  const members = new MemberKeys(operatorKey, list);

  for (const { index, entry, payload, statement } of statements) {
    const recorded = { index, name: statement.name };
    const { name, predicate } = statement;
    const key = bytesToHex(entry.publicKey);
    if (
      founded &&
      !list.require(predicate.consortium === founded.consortium, recorded, `it is of another consortium, "${predicate.consortium}"`)
    )
      continue;
    if (!list.require(isLedgered(name), recorded, 'such a statement does not belong in the ledger')) continue;
    const signer = isOperatorStatement(name) ? 'the operator' : 'site' in predicate ? `"${predicate.site}"` : 'nobody';
    const enrolledKey = isOperatorStatement(name) ? operatorKey : 'site' in predicate ? members.ofSite(predicate.site) : undefined;
    if (!list.require(enrolledKey !== undefined, recorded, `${signer} has no enrolled key at this point of the log`)) continue;
    if (!list.require(key === enrolledKey, recorded, `it is signed by key ${key}, but ${signer} had key ${enrolledKey}`)) continue;
    try {
      verifyEntry(entry, payload);
    } catch (error) {
      list.add(recorded, (error as Error).message);
      continue;
    }
    const added = evidence.add(index, statement);
    if (added !== undefined) expected.onStatement?.(added);
    if (name === 'consortium-founded') {
      list.require(index === 0, recorded, 'the consortium is founded a second time; its key can only stand in the first entry');
      list.require(
        predicate.operatorKey === operatorKey,
        recorded,
        `it names operator key ${predicate.operatorKey}, expected is ${operatorKey}`,
      );
      list.require(
        predicate.origin === expected.origin,
        recorded,
        `it founds the log "${predicate.origin}", but the checkpoint is of "${expected.origin}"`,
      );
    } else members.follow(statement, recorded);
  }
  if (!founded && statements.length > 0)
    list.add(recordedFirst(statements), 'the first entry must found the consortium and name the operator key');
  const enrolled = evidence.all('site-enrolled').length + evidence.all('auditor-enrolled').length;
  return {
    finding: { detail: `${countOf(statements.length, 'statement')}, ${countOf(enrolled, 'enrolment')}`, problems: list.problems },
    evidence,
    consortium: founded?.consortium,
    operatorKey,
  };
}

function recordedFirst(statements: readonly SignedStatement[]) {
  return { index: statements[0]!.index, name: statements[0]!.statement.name };
}
