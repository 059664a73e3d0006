import { join } from 'node:path';
import { shownText } from '@coferment/ledger';
import type { Command } from 'commander';
import { readFacts } from '../identity/consortium.facts.js';
import { lockFolder } from '../persistence/folder.lock.js';
import type { CheckedLedger } from '../publication/ledger.check.js';
import { CommandOutput } from './command.output.js';
import { EXIT } from './exit.codes.js';
import { ledgerJson, ledgerText } from './ledger.text.js';
import { ask } from './operator.client.js';
import { type OperatorFlags, callOperator, operatorOptions } from './operator.command.js';

interface CheckFlags {
  data: string;
  json?: boolean;
}

export function addLedger(program: Command): void {
  const ledger = program
    .command('ledger')
    .description('The ledger: how far it is signed, cosigned and published; and whether its database still holds what was signed.');
  operatorOptions(
    ledger.command('status').description('Show the newest checkpoints, which witnesses have cosigned when, and who is waited for.'),
  )
    .addHelpText('after', '\nExample:\n  coferment ledger status --data ./coordinator --passphrase-file ./passphrase')
    .action((flags: OperatorFlags) =>
      callOperator(flags, async ({ operator }, output) => {
        const status = await ask(operator.getLedgerStatus.bind(operator), {});
        output.result(ledgerJson(status), ledgerText(status));
      }),
    );
  ledger
    .command('check')
    .description(
      'In the database of a coordinator that is stopped, compare every row of the ledger: statements, entries, signatures, tiles and the last published checkpoint. Needs no passphrase and changes nothing. Exit code 1: a row is not what it was.',
    )
    .requiredOption('--data <dir>', "the coordinator's data folder")
    .option('--json', 'print JSON')
    .addHelpText('after', '\nExample:\n  coferment ledger check --data ./coordinator')
    .action(runCheck);
}

async function runCheck(flags: CheckFlags): Promise<void> {
  const output = new CommandOutput(flags.json === true);
  try {
    const checked = await checkFolder(flags.data);
    output.result(checked, textOf(checked));
    if (checked.problems.length > 0) process.exitCode = EXIT.failed;
  } catch (error) {
    output.failure(error);
  }
}

async function checkFolder(folder: string): Promise<CheckedLedger> {
  const { logVkey } = readFacts(folder);
  const lock = lockFolder(folder);
  try {
    // The database is loaded here, so that the operator's other commands need not wait for it.
    const { checkStoredLedger } = await import('../publication/stored.ledger.js');
    return await checkStoredLedger(folder, join(folder, 'checkpoint'), logVkey, progress());
  } finally {
    lock.release();
  }
}

const EVERY_MS = 1000;

function progress(): (read: number, size: number) => void {
  let toldMs = Date.now();
  return (read, size) => {
    if (Date.now() - toldMs < EVERY_MS) return;
    toldMs = Date.now();
    process.stderr.write(`Entry ${read} of ${size} …\n`);
  };
}

function textOf({ entries, published, problems }: CheckedLedger): string {
  if (problems.length === 0)
    return `All ${entries} entries agree with their statements, signatures and tiles, and the first ${published} with the last published checkpoint.`;
  return [
    `The ledger in the database is not what it was (${entries} entries, of which ${published} are published):`,
    ...problems.map((problem) => `- ${shownText(problem)}`),
    'Restore these rows from a backup, or the whole database. Do not start the coordinator before this command finds nothing.',
  ].join('\n');
}
