import type { Command } from 'commander';
import { type SecretFlags, SHORTEST_PASSPHRASE, type StoreSecret } from '@coferment/crypto';
import { readSecret } from '../keys/store.secret.js';

const SOURCES =
  '\nWithout --passphrase-file and --key-file the systemd credential coferment-passphrase or coferment-key is used, else the terminal asks.';

/** The options of every command that opens the keys of this site. */
export function secretOptions(command: Command): Command {
  return command
    .option('--passphrase-file <file>', "file whose first line opens this site's keys; its mode must be 600")
    .option('--key-file <file>', 'instead: file with 32 or more random bytes')
    .addHelpText('after', SOURCES);
}

export interface NewSecretFlags {
  newPassphraseFile?: string;
  newKeyFile?: string;
}

export function readNewSecret({ newPassphraseFile, newKeyFile }: NewSecretFlags): Promise<StoreSecret> {
  const flags: SecretFlags = {
    ...(newPassphraseFile === undefined ? {} : { passphraseFile: newPassphraseFile }),
    ...(newKeyFile === undefined ? {} : { keyFile: newKeyFile }),
  };
  return readSecret(flags, {
    question: 'The new passphrase',
    shortest: SHORTEST_PASSPHRASE,
    isNew: true,
    withoutCredentials: true,
    optionNames: { passphraseFile: '--new-passphrase-file', keyFile: '--new-key-file' },
  });
}
