import { argon2Sync, randomBytes } from 'node:crypto';
import { CryptoError } from '../crypto.error.js';
import { concatBytes } from '../hashing/bytes.codec.js';
import { loadedSodium } from './sodium.loader.js';

const NONCE_BYTES = 24;
const TAG_BYTES = 16;

/** Argon2id cost of the agent's store: 64 MiB, 3 passes, 1 lane (RFC 9106, second recommended option, one lane). */
const ARGON2 = { memory: 64 * 1024, passes: 3, parallelism: 1, tagLength: 32 };

/** 32-byte store key from a passphrase; `salt` is at least 16 random bytes kept beside the store. */
export function deriveStoreKey(passphrase: string | Uint8Array, salt: Uint8Array): Uint8Array {
  if (salt.length < 16) throw new CryptoError('out-of-range', `The salt of a store has ${salt.length} bytes; use at least 16 random ones.`);
  const message = typeof passphrase === 'string' ? Buffer.from(passphrase.normalize('NFC'), 'utf8') : passphrase;
  return new Uint8Array(argon2Sync('argon2id', { message, nonce: salt, ...ARGON2 }));
}

/** XSalsa20-Poly1305 under a store key: nonce (24) ‖ box. */
export function sealAtRest(key: Uint8Array, bytes: Uint8Array): Uint8Array {
  const nonce = randomBytes(NONCE_BYTES);
  return concatBytes([nonce, loadedSodium().crypto_secretbox_easy(bytes, nonce, requireKey(key))]);
}

/** Opens {@link sealAtRest}; 'wrong-passphrase' when the key is another or the bytes were altered (the two cannot be told apart). */
export function openAtRest(key: Uint8Array, sealed: Uint8Array): Uint8Array {
  if (!(sealed instanceof Uint8Array) || sealed.length < NONCE_BYTES + TAG_BYTES) {
    throw new CryptoError('malformed', `A sealed record is at least ${NONCE_BYTES + TAG_BYTES} bytes.`);
  }
  const sodium = loadedSodium();
  try {
    return sodium.crypto_secretbox_open_easy(sealed.subarray(NONCE_BYTES), sealed.subarray(0, NONCE_BYTES), requireKey(key));
  } catch (error) {
    if (error instanceof CryptoError) throw error;
    throw new CryptoError('wrong-passphrase', 'The record does not open: the passphrase is another one, or the stored bytes were altered.');
  }
}

function requireKey(key: Uint8Array): Uint8Array {
  if (!(key instanceof Uint8Array) || key.length !== 32) throw new CryptoError('malformed', 'A store key is 32 bytes.');
  return key;
}
