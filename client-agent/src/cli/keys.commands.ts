import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { loadCrypto, type SecretFlags } from '@coferment/crypto';
import type { Command } from 'commander';
import { backUpSite, restoreSite } from '../backup/site.backup.js';
import { readMembership } from '../enrolment/membership.file.js';
import { lockFolder } from '../journal/folder.lock.js';
import { KeyStore } from '../keys/key.store.js';
import { requirePrivate } from '../keys/private.file.js';
import { readSecret, writeNewKeyFile } from '../keys/store.secret.js';
import { type Answer, answer } from './command.output.js';
import { type NewSecretFlags, readNewSecret, secretOptions } from './secret.options.js';

interface DataOptions {
  data: string;
  json?: boolean;
}

export function addKeysCommands(program: Command): void {
  const keys = program.command('keys').description("What opens this site's keys at rest");
  keys
    .command('new-key-file')
    .description('Make a key file: 32 random bytes that only its owner may read')
    .argument('<out>', 'file to make; one that is there is left alone')
    .option('--json', 'print JSON')
    .addHelpText('after', '\nExample:\n  coferment-agent keys new-key-file /etc/coferment/key')
    .action((out: string, options: { json?: boolean }) =>
      answer(options, () => {
        writeNewKeyFile(out);
        return {
          json: { file: out },
          text: `A new key file is in ${out}. Keep a copy in another place than the data folder and its backups.`,
        };
      }),
    );

  secretOptions(keys.command('change-passphrase'))
    .description('Open the keys with another passphrase or key file from now on')
    .requiredOption('--data <dir>', 'data folder of this site; its agent must not be serving')
    .option('--new-passphrase-file <file>', 'file whose first line is the new passphrase; without it the terminal asks')
    .option('--new-key-file <file>', 'instead: the new key file')
    .option('--json', 'print JSON')
    .addHelpText(
      'after',
      '\nExample:\n  coferment-agent keys change-passphrase --data /var/lib/coferment --passphrase-file old --new-passphrase-file new',
    )
    .action((options: DataOptions & SecretFlags & NewSecretFlags) => answer(options, () => changePassphrase(options)));

  program
    .command('backup')
    .description('Copy the data folder, without the keys of key epochs; also while the agent serves')
    .requiredOption('--data <dir>', 'data folder of this site')
    .requiredOption('--out <dir>', 'folder to make')
    .option('--json', 'print JSON')
    .addHelpText('after', '\nExample:\n  coferment-agent backup --data /var/lib/coferment --out /backup/coferment-2026-03-01')
    .action((options: DataOptions & { out: string }) =>
      answer(options, async () => {
        const made = await backUpSite(options.data, options.out);
        return {
          json: { ...made, out: options.out },
          text: `The backup of site ${made.site} with ${made.files} files is in ${options.out}. The passphrase or key file is not in it: keep that in another place.`,
        };
      }),
    );

  program
    .command('restore')
    .description('Make a data folder of a backup; the old folder must never serve again')
    .argument('<backup>', 'folder that "backup" has made')
    .requiredOption('--data <dir>', 'data folder to make')
    .option('--json', 'print JSON')
    .addHelpText('after', '\nExample:\n  coferment-agent restore /backup/coferment-2026-03-01 --data /var/lib/coferment')
    .action((backup: string, options: DataOptions) =>
      answer(options, async () => {
        const restored = await restoreSite(backup, options.data);
        const left =
          restored.leftEpochs === 0
            ? ''
            : `\nThis site has left ${restored.leftEpochs} key epochs; "coferment-agent status" says what the operator has to do.`;
        return {
          json: { ...restored, data: options.data },
          text: `Site ${restored.site} of ${restored.consortium} is in ${options.data} as it was on ${restored.madeAt}.${left}`,
        };
      }),
    );
}

async function changePassphrase(options: DataOptions & SecretFlags & NewSecretFlags): Promise<Answer> {
  const { data } = options;
  const { site } = readMembership(data);
  if (existsSync(data)) requirePrivate(data);
  const lock = lockFolder(data);
  try {
    await loadCrypto();
    const store = KeyStore.open(join(data, 'keys'), await readSecret(options));
    store.changeSecret(await readNewSecret(options));
    return {
      json: { site, changed: true },
      text: `The keys of ${site} open with the new passphrase or key file only. Make a new backup of ${data}.`,
    };
  } finally {
    lock.release();
  }
}
