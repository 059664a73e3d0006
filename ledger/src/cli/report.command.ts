import { writeFile } from 'node:fs/promises';
import { sha256Hex } from '@coferment/crypto';
import type { Command } from 'commander';
import { type AccountFlags, accountOptions, exitCodeOf, readAccount } from './account.reading.js';
import { type Conclude, type Output, jsonText } from './audit.output.js';

interface ReportFlags extends AccountFlags {
  out: string;
  json?: boolean;
}

export function addReport(program: Command, output: Output, conclude: Conclude): void {
  accountOptions(program.command('report'))
    .description('write one page (HTML) that says in plain words what was checked and who contributed, to read, print and hand on')
    .requiredOption('--out <file>', 'the page; a file that is there is replaced')
    .option('--json', 'print what was written, and the outcome, as JSON')
    .addHelpText(
      'after',
      `
The page is written whatever the outcome, and says it first. It loads nothing from anywhere, and the same ledger, keys and openings give the same bytes.
Exit code: as of "verify", and 1 too if a number was opened to you that is not the one in the ledger.

Example:
  coferment-audit report ./ledger-export --out report.html --key 'ledger.example.com/fermentation+1a2b3c4d+AbCd...='`,
    )
    .action(async (folder: string, flags: ReportFlags) => {
      const read = await readAccount(folder, flags, output);
      // Only this command draws: the chart library is loaded by no other.
      const { reportPage } = await import('../report/report.page.js');
      const page = new TextEncoder().encode(reportPage(read.verification, read.account));
      await writeFile(flags.out, page);
      const { verdict, summary } = read.verification;
      const written = { out: flags.out, bytes: page.length, sha256: sha256Hex(page), verdict, summary };
      const outcome = `This ledger ${verdict === 'self-consistent' ? `is ${summary}` : summary}.`;
      output.out(flags.json ? jsonText(written, 2) : `${outcome}\nThe report is in ${flags.out} (${page.length} bytes).\n`);
      conclude(exitCodeOf(read));
    });
}
