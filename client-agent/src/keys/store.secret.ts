import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import {
  CryptoError,
  readStoreSecret,
  type SecretFlags,
  type SecretPurpose,
  SHORTEST_PASSPHRASE,
  type StoreSecret,
} from '@coferment/crypto';
import { AgentError } from '../agent.error.js';
import { writeNewFile } from './atomic.file.js';
import { passphrasePrompt } from './passphrase.prompt.js';
import { rightsOf } from './private.file.js';

const KEY_BYTES = 32;

/**
 * What opens the keys of this site, by the rule of {@link readStoreSecret}.
 * @throws AgentError 'missing-passphrase' or 'file-mode'
 */
export async function readSecret(flags: SecretFlags, purpose: Partial<SecretPurpose> = {}): Promise<StoreSecret> {
  const ask = passphrasePrompt();
  const edges = { environment: process.env, rights: rightsOf, read: readFileSync, ...(ask === undefined ? {} : { ask }) };
  try {
    const read = await readStoreSecret(flags, edges, {
      question: "The passphrase of this site's keys",
      shortest: SHORTEST_PASSPHRASE,
      ...purpose,
    });
    return read.secret;
  } catch (error) {
    if (error instanceof CryptoError) throw new AgentError(error.code === 'file-mode' ? 'file-mode' : 'missing-passphrase', error.message);
    throw error;
  }
}

/** @throws AgentError 'file-exists': a key file that is written over locks its store for good */
export function writeNewKeyFile(path: string): void {
  writeNewFile(path, randomBytes(KEY_BYTES));
}
