import { z } from 'zod';
import { rounded } from '../measure/sample.statistics.js';
import { type Cells, markdownTable, textTable } from '../report/text.table.js';
import { type AppendFigures, appendCells } from './append.case.js';
import { type ProofFigures, proofCells } from './proof.case.js';
import type { VerificationFigures } from './verification.case.js';

/** What the ledger costs on one machine. */
export interface LedgerBenchReport {
  readonly processor: string;
  readonly cores: number;
  readonly node: string;
  /** ISO date. */
  readonly date: string;
  /** Load average of a minute, before and after. */
  readonly load: readonly [number, number];
  readonly verification: readonly VerificationFigures[];
  readonly append: readonly AppendFigures[];
  readonly proofs: readonly ProofFigures[];
}

const mark = z.object({ verification: z.array(z.unknown()), append: z.array(z.unknown()), proofs: z.array(z.unknown()) });

/** Tells the report of a ledger from that of rounds. */
export function isLedgerReport(report: unknown): report is LedgerBenchReport {
  return mark.safeParse(report).success;
}

function machineOf({ processor, cores, node, date, load }: LedgerBenchReport): string {
  return `${processor}, ${cores} cores, Node ${node.replace(/^v/, '')}, ${date}. Load average before: ${load[0]}; after: ${load[1]}.`;
}

function verificationCells(figures: readonly VerificationFigures[]): Cells {
  return [
    ['entries', 'threads', 'seconds', 'CPU seconds', 'peak MB', 'µs an entry'],
    ...figures.map(({ entries, threads, seconds, cpuSeconds, peakMb }) =>
      [entries, threads, rounded(seconds, 3), rounded(cpuSeconds, 3), rounded(peakMb, 3), rounded((seconds / entries) * 1e6, 3)].map(
        String,
      ),
    ),
  ];
}

export function ledgerText(report: LedgerBenchReport): string {
  return [
    machineOf(report),
    `Full verification of an exported ledger, every signature\n${textTable(verificationCells(report.verification))}`,
    `Appending to the embedded database\n${textTable(appendCells(report.append))}`,
    `Proofs and starts, milliseconds: median (least–most; processor time)\n${textTable(proofCells(report.proofs))}`,
  ].join('\n\n');
}

const SECTIONS: Readonly<Record<string, (report: LedgerBenchReport) => string>> = {
  machine: machineOf,
  verification: ({ verification }) => markdownTable(verificationCells(verification)),
  append: ({ append }) => markdownTable(appendCells(append)),
  proofs: ({ proofs }) => markdownTable(proofCells(proofs)),
};

const MARKED = /(<!-- ledger figures: ([a-z-]+) -->\n)[\s\S]*?(<!-- end of ledger figures -->)/g;

/**
 * The document with every stretch between `<!-- ledger figures: NAME -->` and `<!-- end of ledger figures -->` written anew.
 * @throws RangeError for a name that no section has, or a document with no such stretch
 */
export function documentWithLedger(document: string, report: LedgerBenchReport): string {
  let found = 0;
  const written = document.replace(MARKED, (_, begin: string, name: string, end: string) => {
    const section = SECTIONS[name];
    if (section === undefined)
      throw new RangeError(`There are no ledger figures called "${name}". Known: ${Object.keys(SECTIONS).join(', ')}.`);
    found++;
    return `${begin}${section(report)}\n${end}`;
  });
  if (found === 0)
    throw new RangeError('The document has no stretch between <!-- ledger figures: NAME --> and <!-- end of ledger figures -->.');
  return written;
}
