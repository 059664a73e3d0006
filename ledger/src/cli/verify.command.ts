import { readFile, stat } from 'node:fs/promises';
import { type Command, InvalidArgumentError } from 'commander';
import { CHECKPOINT_PATH, readFolder } from '../export/index.js';
import { type EarlierCheckpoint, verifyExport } from '../verify/index.js';
import { type Conclude, type Output, exitCodes, jsonText } from './audit.output.js';
import { type KeyFlags, keyOptions, readKeys } from './key.options.js';
import { type WebFlags, readerOf, webOptions } from './ledger.target.js';
import { reportProgress } from './progress.text.js';
import { reportText } from './report.text.js';

const MOST_THREADS = 64;

interface VerifyFlags extends KeyFlags, WebFlags {
  earlier?: string[];
  threads?: number;
  json?: boolean;
}

export function addVerify(program: Command, { out, err }: Output, conclude: Conclude): void {
  webOptions(keyOptions(program.command('verify')))
    .description('check everything that a ledger claims')
    .argument('<ledger>', 'a folder (checkpoint, tile/, payloads/), or the URL under which the ledger is served')
    .option(
      '--earlier <file>',
      'a checkpoint of this log that you or another member saw before, or a folder with an earlier export, which also tells which entry is not the same; may be given several times',
      (file: string, files: string[] | undefined) => [...(files ?? []), file],
    )
    .option('--threads <number>', 'how many threads check signatures (default: 2, or 1 on a machine with one core)', threadCount)
    .option('--json', 'print the whole report as JSON')
    .addHelpText(
      'after',
      `
Exit code: 0 everything holds, 1 something does not hold, 2 something could not be checked. Without --key or --policy the export is checked with
the key that it names itself: that finds damage, but not a forger who made all of it, so the exit code is then 2 at best.

Example:
  coferment-audit verify ./ledger-export --key 'ledger.example.com/fermentation+1a2b3c4d+AbCd...='
  coferment-audit verify ./ledger-export --policy ./trust.policy --earlier ./checkpoint-of-bravo --earlier ./export-of-last-year`,
    )
    .action(async (target: string, flags: VerifyFlags) => {
      const keys = await readKeys(flags);
      const earlier = await Promise.all((flags.earlier ?? []).map(readEarlier));
      const threads = flags.threads === undefined ? {} : { threads: flags.threads };
      const ledger = await readerOf(target, flags);
      try {
        const report = ledger.told(await verifyExport(ledger.read, { ...keys, ...threads, earlier, onProgress: reportProgress(err) }));
        out(flags.json ? jsonText(report, 2) : reportText(report));
        conclude(exitCodes[report.verdict]);
      } finally {
        await ledger.close();
      }
    });
}

/** A file is a checkpoint; a folder is an export that has one. */
async function readEarlier(path: string): Promise<EarlierCheckpoint> {
  const found = await stat(path);
  if (!found.isDirectory()) return readFile(path);
  const read = readFolder(path);
  const checkpoint = await read(CHECKPOINT_PATH);
  if (checkpoint === undefined)
    throw new Error(`the folder "${path}" has no file "${CHECKPOINT_PATH}"; give an exported ledger, or a checkpoint`);
  return { checkpoint, read };
}

function threadCount(text: string): number {
  const threads = Number(text);
  if (!Number.isInteger(threads) || threads < 1 || threads > MOST_THREADS)
    throw new InvalidArgumentError(`It must be a whole number from 1 to ${MOST_THREADS}.`);
  return threads;
}
