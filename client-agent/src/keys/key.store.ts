import { randomBytes } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { bytesToHex, concatBytes, CryptoError, deriveStoreKey, hash, hexToBytes, openAtRest, sealAtRest } from '@coferment/crypto';
import { z } from 'zod';
import { AgentError } from '../agent.error.js';
import { overwriteFile, syncFolder, writeFileDurably } from './atomic.file.js';

const NAME = /^[a-z0-9-]+(\/[a-z0-9-]+)*$/;
const CHECK = 'passphrase-check';
const headerSchema = z.strictObject({ schema: z.literal(1), salt: z.string().regex(/^[0-9a-f]{32}$/) });

/**
 * Secrets of this site, encrypted at rest under a key from the passphrase (Argon2id, then secretbox). One file a record, so that a key epoch is erased by
 * deleting its files and a large share never rewrites the identity. A record carries its own name inside the box: files that were swapped do not open.
 */
export class KeyStore {
  readonly #folder: string;
  readonly #key: Uint8Array;

  private constructor(folder: string, key: Uint8Array) {
    this.#folder = folder;
    this.#key = key;
  }

  static exists(folder: string): boolean {
    return existsSync(join(folder, 'store.json'));
  }

  static create(folder: string, passphrase: string): KeyStore {
    const salt = randomBytes(16);
    const store = new KeyStore(folder, deriveStoreKey(passphrase, salt));
    store.write(CHECK, new Uint8Array());
    writeFileDurably(join(folder, 'store.json'), Buffer.from(`${JSON.stringify({ schema: 1, salt: bytesToHex(salt) })}\n`));
    return store;
  }

  /** @throws AgentError 'wrong-passphrase' or 'store-damaged' */
  static open(folder: string, passphrase: string): KeyStore {
    const store = new KeyStore(folder, deriveStoreKey(passphrase, readSalt(folder)));
    if (store.read(CHECK) === undefined) throw damaged(folder, `it has no record "${CHECK}"`);
    return store;
  }

  write(name: string, secret: Uint8Array): void {
    writeFileDurably(this.#path(name), this.sealRecord(name, secret));
  }

  /** For what is kept elsewhere, such as in the journal, and must not lie there in the clear. */
  sealRecord(name: string, secret: Uint8Array): Uint8Array {
    return sealAtRest(this.#key, concatBytes([label(name), secret]));
  }

  /** @throws AgentError 'store-damaged' for altered bytes, or a record that was sealed under another name */
  openRecord(name: string, sealed: Uint8Array, place = `the record "${name}"`): Uint8Array {
    const opened = this.#open(name, sealed, place);
    const expected = label(name);
    if (!Buffer.from(expected).equals(opened.subarray(0, expected.length))) throw damaged(place, `it holds another record than "${name}"`);
    return opened.subarray(expected.length);
  }

  /** Undefined when there is no such record. */
  read(name: string): Uint8Array | undefined {
    const path = this.#path(name);
    if (!existsSync(path)) return undefined;
    return this.openRecord(name, readFileSync(path), path);
  }

  /** @throws AgentError 'store-damaged' when there is no such record */
  require(name: string): Uint8Array {
    const secret = this.read(name);
    if (secret === undefined) throw damaged(this.#folder, `its record "${name}" is missing`);
    return secret;
  }

  /**
   * Overwrites and deletes every record whose name starts with `group/`, and what a power cut has left of writing one; after it returns no power cut brings
   * them back. Copies that a file system or a disk has kept elsewhere are out of reach.
   */
  erase(group: string): void {
    if (!NAME.test(group)) throw new AgentError('store-damaged', `"${group}" is no name of key records.`);
    const path = join(this.#folder, group);
    for (const file of filesIn(path)) overwriteFile(file);
    rmSync(path, { recursive: true, force: true });
    if (existsSync(dirname(path))) syncFolder(dirname(path));
  }

  /** As {@link erase}, for one record. */
  eraseRecord(name: string): void {
    const path = this.#path(name);
    if (!existsSync(path)) return;
    overwriteFile(path);
    rmSync(path);
    syncFolder(dirname(path));
  }

  #path(name: string): string {
    if (!NAME.test(name)) throw new AgentError('store-damaged', `"${name}" is no name of a key record.`);
    return join(this.#folder, `${name}.sealed`);
  }

  #open(name: string, sealed: Uint8Array, place: string): Uint8Array {
    try {
      return openAtRest(this.#key, sealed);
    } catch (error) {
      if (error instanceof CryptoError && error.code === 'wrong-passphrase' && name === CHECK) {
        throw new AgentError(
          'wrong-passphrase',
          `The passphrase does not open the keys in ${this.#folder}. Give the passphrase file that was used when this site joined.`,
        );
      }
      throw damaged(place, error instanceof Error ? error.message : String(error));
    }
  }
}

function filesIn(folder: string): string[] {
  if (!existsSync(folder)) return [];
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
}

function label(name: string): Uint8Array {
  return hash('key-record', name);
}

function readSalt(folder: string): Uint8Array {
  const path = join(folder, 'store.json');
  if (!existsSync(path))
    throw new AgentError('not-joined', `${folder} holds no keys. Join first: coferment-agent join INVITE --data DIR --passphrase-file F`);
  try {
    return hexToBytes(headerSchema.parse(JSON.parse(readFileSync(path, 'utf8'))).salt);
  } catch (error) {
    throw damaged(path, (error as Error).message);
  }
}

function damaged(what: string, reason: string): AgentError {
  return new AgentError(
    'store-damaged',
    `The key store is damaged at ${what}: ${reason}. Restore this folder from its backup; without it the site must join again.`,
  );
}
