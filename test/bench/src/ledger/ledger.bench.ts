import { writeFileSync } from 'node:fs';
import { availableParallelism, cpus } from 'node:os';
import { type VerificationFigures, measureVerification } from './verification.case.js';

export interface LedgerBenchOptions {
  /** Sizes of the ledgers that are made and measured. */
  readonly entries: readonly number[];
  readonly folder: string;
  readonly out: string | undefined;
  readonly json: boolean;
}

export interface LedgerBenchReport {
  readonly processor: string;
  readonly cores: number;
  readonly node: string;
  readonly verification: readonly VerificationFigures[];
}

/** Measures what the ledger costs, case by case; the report is written anew after every one. */
export async function benchLedger({ entries, folder, out, json }: LedgerBenchOptions, say: (line: string) => void): Promise<void> {
  const machine = { processor: cpus()[0]?.model ?? 'unknown', cores: availableParallelism(), node: process.version };
  const verification: VerificationFigures[] = [];
  for (const size of entries) {
    verification.push(...(await measureVerification({ entries: size, folder }, say)));
    const report: LedgerBenchReport = { ...machine, verification };
    if (out !== undefined) writeFileSync(out, `${JSON.stringify(report, undefined, 2)}\n`);
  }
  const report: LedgerBenchReport = { ...machine, verification };
  process.stdout.write(json ? `${JSON.stringify(report, undefined, 2)}\n` : `${textOf(report)}\n`);
}

function textOf({ processor, cores, node, verification }: LedgerBenchReport): string {
  const rows = verification.map(
    ({ entries, threads, seconds, cpuSeconds, peakMb }) =>
      `${entries.toString().padStart(9)}  ${threads.toString().padStart(7)}  ${seconds.toFixed(1).padStart(7)}  ${cpuSeconds.toFixed(1).padStart(11)}  ${peakMb.toFixed(0).padStart(7)}`,
  );
  return [
    `${processor}, ${cores} cores, Node ${node}`,
    'Full verification of an exported ledger, every signature',
    '  entries  threads  seconds  cpu seconds  peak MB',
    ...rows,
  ].join('\n');
}
