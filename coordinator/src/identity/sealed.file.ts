import { closeSync, existsSync, fsyncSync, mkdirSync, openSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import {
  concatBytes,
  CryptoError,
  deriveStoreKey,
  drawStoreKey,
  hash,
  openAtRest,
  sealAtRest,
  type StoreSecret,
  unwrapStoreKey,
  wrapStoreKey,
} from '@coferment/crypto';
import { z } from 'zod';
import { CoordinatorError } from '../errors/index.js';
import { requirePrivate } from './private.file.js';

/** What lies sealed in a coordinator's data folder. The role stands inside the box too: one file in the place of another does not count. */
const FILES = { secrets: 'secrets.sealed', 'operator-client': join('operator', 'client.sealed') } as const;
export type SealedRole = keyof typeof FILES;

const SEALED = /^\{"schema":"coferment-sealed\/2","sealed":"([A-Za-z0-9+/]+={0,2})"\}\n$/;
/** Files made before there was one header: each has its own salt, and the passphrase itself is the key. */
const firstSchema = z.strictObject({ schema: z.literal('coferment-sealed/1'), salt: z.base64(), sealed: z.base64() });

const headerFile = (folder: string): string => join(folder, 'store.json');

/** Writes a value encrypted under the folder's key, whole or not at all. The key is drawn with the first one; the secret unwraps it (Argon2id, then secretbox). */
export function writeSealed(folder: string, role: SealedRole, secret: StoreSecret, value: unknown): void {
  if (!existsSync(headerFile(folder))) writeHeader(folder, drawStoreKey(), secret);
  const sealed = sealAtRest(openKey(folder, secret), concatBytes([label(role), new TextEncoder().encode(JSON.stringify(value))]));
  mkdirSync(dirname(join(folder, FILES[role])), { recursive: true, mode: 0o700 });
  replaceFile(join(folder, FILES[role]), `{"schema":"coferment-sealed/2","sealed":"${Buffer.from(sealed).toString('base64')}"}\n`);
}

/**
 * @throws CoordinatorError 'wrong-passphrase', 'file-mode' when others can get at the keys, or 'folder-unusable' for a file that is missing, cut, altered,
 * in the place of another, or of another consortium
 */
export function readSealed<T>(folder: string, role: SealedRole, secret: StoreSecret, schema: z.ZodType<T>): T {
  const file = join(folder, FILES[role]);
  if (!existsSync(file)) throw unusable(file, 'it is missing');
  for (const path of [folder, dirname(file), headerFile(folder), file]) requirePrivate(path);
  // One byte, one character: a changed byte must not be read as if it were the right one.
  const text = readFileSync(file, 'latin1');
  const [, sealed] = SEALED.exec(text) ?? [];
  const bytes = sealed === undefined ? openFirst(file, text, secret) : openSealed(file, role, openKey(folder, secret), sealed);
  try {
    return schema.parse(JSON.parse(new TextDecoder().decode(bytes)));
  } catch {
    // What was opened is secret: not even the reason may quote it.
    throw unusable(file, 'what lies in it has another form than it should');
  }
}

/**
 * Gives the keys of a folder another secret. The last step replaces one file, whole: after a crash they open with the old secret, or, once this has returned,
 * with the new one.
 */
export function changeSecret(folder: string, secret: StoreSecret, next: StoreSecret): void {
  for (const role of Object.keys(FILES) as SealedRole[]) {
    const value = readSealed(folder, role, secret, z.unknown());
    // A file of the first kind comes under the folder's key, which the old secret opens until the header is replaced.
    if (!SEALED.test(readFileSync(join(folder, FILES[role]), 'latin1'))) writeSealed(folder, role, secret, value);
  }
  writeHeader(folder, openKey(folder, secret), next);
}

/** For a founding: what an earlier one that was cut off has left may have another secret, and nothing that counts is under its key. */
export function discardStoreKey(folder: string): void {
  rmSync(headerFile(folder), { force: true });
}

/** Replaces a file so that a crash leaves either the old or the new content, readable by the owner only. */
export function replaceFile(file: string, content: string | Uint8Array): void {
  const draft = `${file}.draft`;
  // Made anew: one that is there is what a crash has left, or, in a folder of others, a link that somebody has laid to where they can read.
  rmSync(draft, { force: true });
  const descriptor = openSync(draft, 'wx', 0o600);
  try {
    writeFileSync(descriptor, content);
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
  renameSync(draft, file);
  if (process.platform === 'win32') return;
  const folder = openSync(dirname(file), 'r');
  fsyncSync(folder);
  closeSync(folder);
}

/**
 * The key that was opened last. Argon2id is slow on purpose and stops this process meanwhile, and a coordinator opens its key for each file and at each renewal;
 * it holds the secret and what the key protects for as long as it runs anyway.
 */
let lastOpened: { header: string; secret: StoreSecret; key: Uint8Array } | undefined;

function openKey(folder: string, secret: StoreSecret): Uint8Array {
  const file = headerFile(folder);
  if (!existsSync(file)) throw unusable(file, 'it is missing');
  const header = readFileSync(file, 'latin1');
  if (lastOpened?.header === header && isSame(lastOpened.secret, secret)) return lastOpened.key;
  const key = tryEach(file, secret, (candidate) => unwrapStoreKey(header, candidate));
  lastOpened = { header, secret, key };
  return key;
}

function writeHeader(folder: string, key: Uint8Array, secret: StoreSecret): void {
  const header = wrapStoreKey(key, newSecret(secret));
  replaceFile(headerFile(folder), header);
  lastOpened = { header, secret, key };
}

function isSame(one: StoreSecret, other: StoreSecret): boolean {
  return typeof one === 'string' || typeof other === 'string' ? one === other : Buffer.from(one).equals(other);
}

function openSealed(file: string, role: SealedRole, key: Uint8Array, sealed: string): Uint8Array {
  const bytes = Buffer.from(sealed, 'base64');
  if (bytes.toString('base64') !== sealed) throw unusable(file, 'its bytes were altered');
  let opened: Uint8Array;
  try {
    opened = openAtRest(key, bytes);
  } catch {
    throw unusable(file, 'the passphrase is right, but its bytes were altered, or it is of another consortium or another founding');
  }
  const expected = label(role);
  if (!Buffer.from(expected).equals(opened.subarray(0, expected.length))) throw unusable(file, 'another file was put in its place');
  return opened.subarray(expected.length);
}

function openFirst(file: string, text: string, secret: StoreSecret): Uint8Array {
  let content: z.output<typeof firstSchema>;
  try {
    content = firstSchema.parse(JSON.parse(text));
  } catch {
    throw unusable(file, 'it was cut or altered');
  }
  if (`${JSON.stringify(content)}\n` !== text) throw unusable(file, 'its bytes were altered');
  const [salt, sealed] = [content.salt, content.sealed].map((part) => Buffer.from(part, 'base64')) as [Buffer, Buffer];
  return tryEach(file, secret, (candidate) => openAtRest(deriveStoreKey(candidate, salt), sealed));
}

/** Of a passphrase file the first line counts. It was the whole text once, and what was locked with that still opens. */
function tryEach(file: string, secret: StoreSecret, open: (secret: StoreSecret) => Uint8Array): Uint8Array {
  const candidates = new Set([newSecret(secret), secret]);
  for (const candidate of candidates) {
    try {
      return open(candidate);
    } catch (error) {
      if (!(error instanceof CryptoError)) throw error;
      if (error.code !== 'wrong-passphrase') throw unusable(file, error.message);
    }
  }
  throw new CoordinatorError(
    'wrong-passphrase',
    `This passphrase or key file does not open ${file}. Give the one that the consortium was founded with, or the one it was changed to.`,
  );
}

function newSecret(secret: StoreSecret): StoreSecret {
  return typeof secret === 'string' ? (secret.split(/\r?\n/, 1)[0] ?? '') : secret;
}

function label(role: SealedRole): Uint8Array {
  return hash('sealed-file', role);
}

function unusable(file: string, reason: string): CoordinatorError {
  return new CoordinatorError('folder-unusable', `${file} is damaged: ${reason}. Restore it, with the files beside it, from one backup.`);
}
