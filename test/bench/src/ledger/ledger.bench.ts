import { writeFileSync } from 'node:fs';
import { availableParallelism, cpus, loadavg } from 'node:os';
import { rounded } from '../measure/sample.statistics.js';
import { measureAppend } from './append.case.js';
import { type LedgerBenchReport, ledgerText } from './ledger.report.js';
import { measureProofs } from './proof.case.js';
import { measureVerification } from './verification.case.js';

export interface LedgerBenchOptions {
  /** Sizes of the ledgers that are made and measured. */
  readonly entries: readonly number[];
  readonly folder: string;
  readonly out: string | undefined;
  readonly json: boolean;
}

/** Measures what the ledger costs, case by case; the report is written anew after every one. */
export async function benchLedger({ entries, folder, out, json }: LedgerBenchOptions, say: (line: string) => void): Promise<void> {
  const load = () => rounded(loadavg()[0]!, 3);
  const before = load();
  const machine = {
    processor: cpus()[0]?.model.trim() ?? 'unknown',
    cores: availableParallelism(),
    node: process.version,
    date: new Date().toISOString().slice(0, 10),
  };
  let report: LedgerBenchReport = { ...machine, load: [before, before], verification: [], append: [], proofs: [] };
  const keep = (more: Partial<LedgerBenchReport>) => {
    report = { ...report, ...more, load: [before, load()] };
    if (out !== undefined) writeFileSync(out, `${JSON.stringify(report, undefined, 2)}\n`);
  };
  keep({ append: await measureAppend({ folder }, say) });
  for (const size of entries) {
    keep({ proofs: [...report.proofs, await measureProofs({ entries: size, folder }, say)] });
    keep({ verification: [...report.verification, ...(await measureVerification({ entries: size, folder }, say))] });
  }
  process.stdout.write(json ? `${JSON.stringify(report, undefined, 2)}\n` : `${ledgerText(report)}\n`);
}
