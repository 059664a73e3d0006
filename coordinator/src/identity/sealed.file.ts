import { randomBytes } from 'node:crypto';
import { closeSync, fsyncSync, openSync, readFileSync, renameSync, writeSync } from 'node:fs';
import { CryptoError, deriveStoreKey, openAtRest, sealAtRest } from '@coferment/crypto';
import { z } from 'zod';
import { CoordinatorError } from '../errors/index.js';

const fileSchema = z.strictObject({ schema: z.literal('coferment-sealed/1'), salt: z.base64(), sealed: z.base64() });

/** Writes a value encrypted under the passphrase (Argon2id, then secretbox), whole or not at all. */
export function writeSealed(file: string, passphrase: string, value: unknown): void {
  const salt = randomBytes(16);
  const sealed = sealAtRest(deriveStoreKey(passphrase, salt), new TextEncoder().encode(JSON.stringify(value)));
  const content = { schema: 'coferment-sealed/1', salt: salt.toString('base64'), sealed: Buffer.from(sealed).toString('base64') };
  replaceFile(file, `${JSON.stringify(content)}\n`);
}

/** @throws CoordinatorError 'wrong-passphrase' (or altered bytes: the two cannot be told apart), 'folder-unusable' for a damaged file */
export function readSealed<T>(file: string, passphrase: string, schema: z.ZodType<T>): T {
  const content = readFileSync(file, 'utf8');
  try {
    const { salt, sealed } = fileSchema.parse(JSON.parse(content));
    const opened = openAtRest(deriveStoreKey(passphrase, Buffer.from(salt, 'base64')), Buffer.from(sealed, 'base64'));
    return schema.parse(JSON.parse(new TextDecoder().decode(opened)));
  } catch (cause) {
    if (!(cause instanceof CryptoError))
      throw new CoordinatorError('folder-unusable', `${file} is damaged. Restore it from a backup.`, { cause });
    throw new CoordinatorError('wrong-passphrase', `${file} does not open with this passphrase. Give the one that it was made with.`, {
      cause,
    });
  }
}

/** Replaces a file so that a crash leaves either the old or the new content, readable by the owner only. */
export function replaceFile(file: string, content: string): void {
  const draft = `${file}.draft`;
  const descriptor = openSync(draft, 'w', 0o600);
  writeSync(descriptor, content);
  fsyncSync(descriptor);
  closeSync(descriptor);
  renameSync(draft, file);
}
