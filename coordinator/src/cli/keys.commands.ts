import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { type SecretFlags, loadCrypto } from '@coferment/crypto';
import type { Command } from 'commander';
import { backUpConsortium, restoreConsortium } from '../backup/consortium.backup.js';
import { readFacts } from '../identity/consortium.facts.js';
import { unlock } from '../identity/consortium.identity.js';
import { changeSecret } from '../identity/sealed.file.js';
import { lockFolder } from '../persistence/folder.lock.js';
import { CommandOutput } from './command.output.js';
import { type NewSecretFlags, readNewSecret, readSecret, secretOptions, writeNewKeyFile } from './secret.options.js';

interface FolderFlags {
  data: string;
  json?: boolean;
}

export function addKeys(program: Command): void {
  const keys = program.command('keys').description("What opens the consortium's keys at rest.");
  keys
    .command('new-key-file <out>')
    .description('Make a key file: 32 random bytes that only its owner may read. One that is there is left alone.')
    .option('--json', 'print JSON')
    .addHelpText('after', '\nExample:\n  coferment keys new-key-file /etc/coferment/key')
    .action((out: string, flags: { json?: boolean }) =>
      run(flags, (output) => {
        writeNewKeyFile(out);
        output.result({ file: out }, `A new key file is in ${out}. Keep a copy in another place than the data folder and its backups.`);
      }),
    );

  secretOptions(
    keys
      .command('change-passphrase')
      .description('Open the keys with another passphrase or key file from now on. Stop the coordinator first.'),
  )
    .requiredOption('--data <dir>', "the coordinator's data folder")
    .option('--new-passphrase-file <file>', 'file whose first line is the new passphrase; without it the terminal asks')
    .option('--new-key-file <file>', 'instead: the new key file')
    .option('--json', 'print JSON')
    .addHelpText(
      'after',
      '\nExample:\n  coferment keys change-passphrase --data ./coordinator --passphrase-file old --new-passphrase-file new',
    )
    .action((flags: FolderFlags & SecretFlags & NewSecretFlags) => run(flags, (output) => changePassphrase(flags, output)));

  program
    .command('backup')
    .description('Copy the data folder of a coordinator that is stopped: keys, database, objects.')
    .requiredOption('--data <dir>', "the coordinator's data folder")
    .requiredOption('--out <dir>', 'folder to make')
    .option('--json', 'print JSON')
    .addHelpText('after', '\nExample:\n  coferment backup --data ./coordinator --out /backup/coferment-2026-03-01')
    .action((flags: FolderFlags & { out: string }) =>
      run(flags, async (output) => {
        process.stderr.write(`Copying ${flags.data} and reading the copy again …\n`);
        const made = await backUpConsortium(flags.data, flags.out);
        const server =
          made.database === 'server'
            ? '\nThe database is on a server and NOT in it. Dump it before you start again: pg_dump "$DATABASE_URL"'
            : '';
        const objects = existsSync(join(flags.data, 'objects'))
          ? ''
          : '\nThe objects are in the folder or bucket that "coferment start --objects" names and NOT in it. Copy that after the dump.';
        output.result(
          { ...made, out: flags.out },
          `The backup of "${made.consortium}" with ${made.files} files is in ${flags.out}. The passphrase or key file is not in it: keep that in another place.${server}${objects}`,
        );
      }),
    );

  program
    .command('restore <backup>')
    .description('Make a data folder of a backup. The old folder must never be started again.')
    .requiredOption('--data <dir>', 'data folder to make')
    .option('--checkpoint <file>', 'newest checkpoint that anybody has, e.g. of an exported ledger: what is older than it does not start')
    .option('--json', 'print JSON')
    .addHelpText(
      'after',
      '\nExample:\n  coferment restore /backup/coferment-2026-03-01 --data ./coordinator --checkpoint ./ledger/checkpoint',
    )
    .action((backup: string, flags: FolderFlags & { checkpoint?: string }) =>
      run(flags, async (output) => {
        process.stderr.write(`Checking ${backup} …\n`);
        const restored = await restoreConsortium(backup, flags.data, flags.checkpoint);
        const server =
          restored.database === 'server' ? '\nIts database was on a server: restore the dump that belongs to it before the start.' : '';
        const published =
          flags.checkpoint === undefined
            ? '\nIf anything was published since, do not start it: members would see two ledgers. --checkpoint checks that.'
            : '';
        output.result(
          { ...restored, data: flags.data },
          `The coordinator of "${restored.consortium}" is in ${flags.data} as it was on ${restored.madeAt}.${server}${published}`,
        );
      }),
    );
}

async function changePassphrase(flags: FolderFlags & SecretFlags & NewSecretFlags, output: CommandOutput): Promise<void> {
  const { consortium } = readFacts(flags.data);
  const lock = lockFolder(flags.data);
  try {
    await loadCrypto();
    const secret = await readSecret(flags, flags.data);
    unlock(flags.data, secret);
    changeSecret(flags.data, secret, await readNewSecret(flags));
    output.result(
      { consortium, changed: true },
      `The keys of "${consortium}" open with the new passphrase or key file only. Make a new backup of ${flags.data}.`,
    );
  } finally {
    lock.release();
  }
}

async function run(flags: { json?: boolean }, work: (output: CommandOutput) => void | Promise<void>): Promise<void> {
  const output = new CommandOutput(flags.json === true);
  try {
    await work(output);
  } catch (error) {
    output.failure(error);
  }
}
