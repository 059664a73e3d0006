import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import {
  CryptoError,
  type SecretFlags,
  type SecretPurpose,
  SHORTEST_PASSPHRASE,
  type StoreSecret,
  readStoreSecret,
} from '@coferment/crypto';
import type { Command } from 'commander';
import { CoordinatorError } from '../errors/index.js';
import { isFounded } from '../identity/consortium.facts.js';
import { rightsOf } from '../identity/private.file.js';
import { replaceFile } from '../identity/sealed.file.js';
import { passphrasePrompt } from './passphrase.prompt.js';

const KEY_BYTES = 32;
const SOURCES =
  '\nWithout --passphrase-file and --key-file the systemd credential coferment-passphrase or coferment-key is used, else the terminal asks.';

/** The options of every command that opens the consortium's keys. */
export function secretOptions(command: Command): Command {
  return command
    .option('--passphrase-file <file>', "file whose first line opens the consortium's keys; its mode must be 600")
    .option('--key-file <file>', 'instead: file with 32 or more random bytes')
    .addHelpText('after', SOURCES);
}

/**
 * What opens the keys of a data folder. Once passphrases of any length were taken, and all lines of the file: what is founded already still opens so.
 * @throws CoordinatorError 'missing-passphrase', 'file-mode'
 */
export function readSecret(flags: SecretFlags, folder: string): Promise<StoreSecret> {
  const founded = isFounded(folder);
  return readBy(flags, {
    question: "The passphrase of the consortium's keys",
    shortest: founded ? 1 : SHORTEST_PASSPHRASE,
    isNew: !founded,
  });
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
  return readBy(flags, {
    question: 'The new passphrase',
    shortest: SHORTEST_PASSPHRASE,
    isNew: true,
    withoutCredentials: true,
    optionNames: { passphraseFile: '--new-passphrase-file', keyFile: '--new-key-file' },
  });
}

/** @throws CoordinatorError 'file-exists': a key file that is written over locks its store for good */
export function writeNewKeyFile(path: string): void {
  if (rightsOf(path) !== undefined)
    throw new CoordinatorError('file-exists', `${path} is there already and was left as it is. Give another name.`);
  replaceFile(path, randomBytes(KEY_BYTES));
}

async function readBy(flags: SecretFlags, purpose: SecretPurpose): Promise<StoreSecret> {
  const ask = passphrasePrompt();
  const edges = { environment: process.env, rights: rightsOf, read: readFileSync, ...(ask === undefined ? {} : { ask }) };
  try {
    const { secret, allLines } = await readStoreSecret(flags, edges, purpose);
    return allLines ?? secret;
  } catch (error) {
    if (!(error instanceof CryptoError)) throw error;
    throw new CoordinatorError(error.code === 'file-mode' ? 'file-mode' : 'missing-passphrase', error.message);
  }
}
