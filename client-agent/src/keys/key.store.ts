import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import {
  concatBytes,
  CryptoError,
  deriveStoreKey,
  drawStoreKey,
  hash,
  hexToBytes,
  openAtRest,
  sealAtRest,
  type StoreSecret,
  unwrapStoreKey,
  wrapStoreKey,
} from '@coferment/crypto';
import { AgentError } from '../agent.error.js';
import { overwriteFile, syncFolder, writeFileDurably } from './atomic.file.js';
import { requirePrivateTree } from './private.file.js';

const NAME = /^[a-z0-9-]+(\/[a-z0-9-]+)*$/;
const HEADER = 'store.json';
/** A store made before there were wrapped keys: its key comes from the passphrase itself, and a record says whether it is the right one. */
const FIRST_HEADER = /^\{"schema":1,"salt":"([0-9a-f]{32})"\}\n$/;
const FIRST_CHECK = 'passphrase-check';

/**
 * Secrets of this site, encrypted at rest under a key that the passphrase or key file unwraps (Argon2id, then secretbox). One file a record, so that a key epoch
 * is erased by deleting its files and a large share never rewrites the identity. A record carries its own name inside the box, and no two stores have one
 * key: files that were swapped do not open.
 */
export class KeyStore {
  readonly #folder: string;
  readonly #key: Uint8Array;

  private constructor(folder: string, key: Uint8Array) {
    this.#folder = folder;
    this.#key = key;
  }

  static exists(folder: string): boolean {
    return existsSync(join(folder, HEADER));
  }

  static create(folder: string, secret: StoreSecret): KeyStore {
    const key = drawStoreKey();
    writeHeader(folder, key, secret);
    return new KeyStore(folder, key);
  }

  /** @throws AgentError 'wrong-passphrase', 'store-damaged', or 'file-mode' when others can get at the keys */
  static open(folder: string, secret: StoreSecret): KeyStore {
    const header = readHeader(folder);
    requirePrivateTree(folder);
    const [, salt] = FIRST_HEADER.exec(header) ?? [];
    if (salt !== undefined) return KeyStore.#openFirst(folder, deriveStoreKey(secret, hexToBytes(salt)));
    try {
      return new KeyStore(folder, unwrapStoreKey(header, secret));
    } catch (error) {
      if (error instanceof CryptoError && error.code === 'wrong-passphrase') throw wrongSecret(folder);
      throw damaged(join(folder, HEADER), (error as Error).message);
    }
  }

  static #openFirst(folder: string, key: Uint8Array): KeyStore {
    const store = new KeyStore(folder, key);
    const path = store.#path(FIRST_CHECK);
    if (!existsSync(path)) throw damaged(folder, `it has no record "${FIRST_CHECK}"`);
    try {
      openAtRest(key, readFileSync(path));
    } catch (error) {
      if (error instanceof CryptoError && error.code === 'wrong-passphrase') throw wrongSecret(folder);
    }
    if (store.read(FIRST_CHECK)?.length !== 0) throw damaged(path, 'it has other bytes than it should');
    return store;
  }

  /** One file is replaced, whole: after a power cut the store opens with the old secret, or, once this has returned, with the new one. */
  changeSecret(secret: StoreSecret): void {
    writeHeader(this.#folder, this.#key, secret);
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
    let opened: Uint8Array;
    try {
      opened = openAtRest(this.#key, sealed);
    } catch {
      throw damaged(place, `it was cut or altered, or it is of another store`);
    }
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
}

function filesIn(folder: string): string[] {
  if (!existsSync(folder)) return [];
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
}

function label(name: string): Uint8Array {
  return hash('key-record', name);
}

function readHeader(folder: string): string {
  const path = join(folder, HEADER);
  if (!existsSync(path))
    throw new AgentError('not-joined', `${folder} holds no keys. Join first: coferment-agent join INVITE --data DIR --passphrase-file F`);
  // One byte, one character: a changed byte must not be read as if it were the right one.
  return readFileSync(path, 'latin1');
}

function writeHeader(folder: string, key: Uint8Array, secret: StoreSecret): void {
  writeFileDurably(join(folder, HEADER), Buffer.from(wrapStoreKey(key, secret), 'latin1'));
}

function wrongSecret(folder: string): AgentError {
  return new AgentError(
    'wrong-passphrase',
    `This passphrase or key file does not open the keys in ${folder}. Give the one that was used when this site joined, or the one it was changed to.`,
  );
}

function damaged(what: string, reason: string): AgentError {
  return new AgentError(
    'store-damaged',
    `The key store is damaged at ${what}: ${reason}. Restore this folder from its backup; without it the site must join again.`,
  );
}
