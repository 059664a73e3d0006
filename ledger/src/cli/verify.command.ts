import { readFile, stat } from 'node:fs/promises';
import type { Command } from 'commander';
import { readFolder } from '../export/index.js';
import { verifyExport } from '../verify/index.js';
import { type Conclude, type Output, exitCodes } from './audit.output.js';
import { type KeyFlags, keyOptions, readKeys } from './key.options.js';
import { reportText } from './report.text.js';

interface VerifyFlags extends KeyFlags {
  earlier?: string;
  json?: boolean;
}

export function addVerify(program: Command, { out }: Output, conclude: Conclude): void {
  keyOptions(program.command('verify'))
    .description('check everything that an exported ledger claims')
    .argument('<folder>', 'the exported ledger: checkpoint, tile/, payloads/')
    .option('--earlier <file>', 'a checkpoint of this log that you saw before; the export must extend it')
    .option('--json', 'print the whole report as JSON')
    .addHelpText(
      'after',
      `
Exit code: 0 everything holds, 1 something does not hold, 2 something could not be checked. Without --key or --policy the export is checked with
the key that it names itself: that finds damage, but not a forger who made all of it, so the exit code is then 2 at best.

Example:
  coferment-audit verify ./ledger-export --key 'ledger.example.com/fermentation+1a2b3c4d+AbCd...='`,
    )
    .action(async (folder: string, flags: VerifyFlags) => {
      await requireFolder(folder);
      const earlier = flags.earlier === undefined ? {} : { earlier: await readFile(flags.earlier) };
      const report = await verifyExport(readFolder(folder), { ...(await readKeys(flags)), ...earlier });
      out(flags.json ? `${JSON.stringify(report, undefined, 2)}\n` : reportText(report));
      conclude(exitCodes[report.verdict]);
    });
}

/** @throws Error for a person to read */
export async function requireFolder(folder: string): Promise<void> {
  const found = await stat(folder).catch(() => undefined);
  if (!found?.isDirectory()) throw new Error(`"${folder}" is not a folder; give the folder of an exported ledger`);
}
