import { shownData } from '../report/index.js';
import type { FrozenBy, JudgedReceipt, ReceiptVerdict } from '../receipt/index.js';

/** A proven statement that is no contribution, e.g. the freeze that counts one. */
export interface JudgedStatement {
  readonly verdict: ReceiptVerdict;
  readonly name: string;
  readonly index: string;
  readonly size: string;
  readonly origin: string;
  /** Hex. */
  readonly key: string;
  readonly witnesses: readonly string[];
  readonly problems: readonly string[];
}

/** Plain JSON: all that came of the files. */
export interface ReceiptReport {
  readonly verdict: ReceiptVerdict;
  readonly contributions: readonly JudgedReceipt[];
  readonly others: readonly JudgedStatement[];
  /** Files that are refused, or whose statement is missing, and problems of the ledger. */
  readonly problems: readonly string[];
}

const summaries: Readonly<Record<ReceiptVerdict, string>> = {
  holds: 'This receipt holds.',
  'does-not-hold': 'This receipt does NOT hold.',
  'could-not-check': 'Nothing is wrong with what was given, but not everything could be checked.',
};

const kinds: Readonly<Record<string, string>> = {
  confirm: 'the confirmation of its key share, which holds nothing of its records',
  statistics: 'its statistics, before training',
  update: 'an update of the model',
  evaluate: 'its evaluation of a model',
};

/** What the files prove, as a person reads it. */
export function receiptText(report: ReceiptReport): string {
  const { verdict, contributions, others, problems } = shownData(report);
  const lines = [...contributions.flatMap(contributionLines), ...others.flatMap(otherLines), ...problems.map((line) => `✗ ${line}`)];
  return [...lines, '', summaries[verdict], ''].join('\n');
}

function contributionLines(receipt: JudgedReceipt): string[] {
  const { site, key, run, sum, kind, origin, index, size, frozenBy, openings, problems } = receipt;
  return [
    `Site ${site} took part in sum ${sum} of run ${run}: ${kinds[kind] ?? kind}.`,
    `  It signed its contribution with key ${key}.`,
    `  Entry ${index} of the ${size} entries of ledger ${origin}; ${witnessText(receipt.witnesses)}.`,
    ...(frozenBy ? frozenLines(frozenBy, problems.length === 0) : []),
    ...openings
      .filter(({ holds }) => holds)
      .map(({ fact, value }) => `  Opened: ${fact} = ${value}, as the site committed itself when it signed.`),
    ...problems.map((problem) => `  ✗ ${problem}`),
  ];
}

/** What a freeze proves, and what it does not: the operator may never have opened the sum. */
function frozenLines({ index, sites, round, signer, aggregate }: FrozenBy, holds: boolean): string[] {
  const freeze = `entry ${index} freezes the sum over ${sites} sites${round > 0 ? `, round ${round}` : ''}; signed with key ${signer}`;
  if (!holds) return [`  The freeze: ${freeze}.`];
  if (aggregate !== 'not-looked-up') return [`  It was counted: ${freeze}. Entry ${aggregate} opens that sum.`];
  return [`  It is in the frozen set: ${freeze}. Whether that sum was opened then, a freeze does not show; the ledger does (--ledger).`];
}

function otherLines({ name, index, size, origin, key, witnesses, problems }: JudgedStatement): string[] {
  return [
    `Entry ${index} of the ${size} entries of ledger ${origin} is a ${name}, signed with key ${key}; ${witnessText(witnesses)}.`,
    ...problems.map((problem) => `  ✗ ${problem}`),
  ];
}

function witnessText(witnesses: readonly string[]): string {
  if (witnesses.length === 0) return 'signed by the log, with no witness whose key was given';
  return `signed by the log and cosigned by ${witnesses.length} ${witnesses.length === 1 ? 'witness' : 'witnesses'} (${witnesses.join(', ')})`;
}
