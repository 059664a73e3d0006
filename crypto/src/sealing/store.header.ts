import { randomBytes } from 'node:crypto';
import { CryptoError } from '../crypto.error.js';
import { bytesToHex, concatBytes, hexToBytes } from '../hashing/bytes.codec.js';
import { digest, hash } from '../hashing/purpose.hash.js';
import { deriveStoreKey, openAtRest, sealAtRest } from './store.sealing.js';

/** What opens a store: a passphrase, or the bytes of a key file. */
export type StoreSecret = string | Uint8Array;

const KEY_BYTES = 32;
const LINE = /^\{"schema":2,"salt":"([0-9a-f]{32})","wrapped":"([0-9a-f]{208})","digest":"([0-9a-f]{64})"\}\n$/;

/** A key that was never a passphrase: everything of a store is sealed under it, and a new passphrase only seals the key anew. */
export function drawStoreKey(): Uint8Array {
  return new Uint8Array(randomBytes(KEY_BYTES));
}

/**
 * The header of a store: its key, sealed under the secret (Argon2id, then secretbox). It is the only thing that a change of the passphrase writes,
 * so that one rename is the whole change. Its digest is no protection (anybody can compute it): it tells damage from a wrong passphrase.
 */
export function wrapStoreKey(storeKey: Uint8Array, secret: StoreSecret): string {
  const salt = new Uint8Array(randomBytes(16));
  const wrapped = sealAtRest(deriveStoreKey(secret, salt), concatBytes([label(), storeKey]));
  return `{"schema":2,"salt":"${bytesToHex(salt)}","wrapped":"${bytesToHex(wrapped)}","digest":"${digestOf(salt, wrapped)}"}\n`;
}

/** @throws CryptoError 'malformed' for a header that is cut or altered, 'wrong-passphrase' for a whole one that the secret does not open */
export function unwrapStoreKey(text: string, secret: StoreSecret): Uint8Array {
  // One spelling only: no byte may change without being noticed.
  const [, saltHex, wrappedHex, stated] = LINE.exec(text) ?? [];
  if (saltHex === undefined || wrappedHex === undefined) throw new CryptoError('malformed', 'it is no header of a store, or it was cut');
  const salt = hexToBytes(saltHex);
  const wrapped = hexToBytes(wrappedHex);
  if (digestOf(salt, wrapped) !== stated) throw new CryptoError('malformed', 'its bytes were altered');
  const opened = openAtRest(deriveStoreKey(secret, salt), wrapped);
  const expected = label();
  if (!Buffer.from(expected).equals(opened.subarray(0, expected.length))) throw new CryptoError('malformed', 'it holds something else');
  return opened.subarray(expected.length);
}

function label(): Uint8Array {
  return hash('store-key');
}

function digestOf(salt: Uint8Array, wrapped: Uint8Array): string {
  return digest('store-header', salt, wrapped);
}
