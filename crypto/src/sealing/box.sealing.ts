import { createPublicKey, diffieHellman, generateKeyPairSync, randomBytes } from 'node:crypto';
import { CryptoError } from '../crypto.error.js';
import { concatBytes } from '../hashing/bytes.codec.js';
import { loadedSodium } from './sodium.loader.js';

/** X25519 key pair of one epoch, 32 bytes each; erased with the epoch. */
export interface SealingKey {
  publicKey: Uint8Array;
  privateKey: Uint8Array;
}

const NONCE_BYTES = 24;
const TAG_BYTES = 16;

export function generateSealingKey(): SealingKey {
  const { publicKey, privateKey } = loadedSodium().crypto_box_keypair();
  return { publicKey, privateKey };
}

/**
 * Whether a shared secret can be agreed with this X25519 key. With a point of low order the secret is all zeros whatever the other key is
 * (RFC 7748, 6.1): nothing can be sealed for it. Needs no `loadCrypto`.
 */
export function isUsableSealingKey(publicKey: Uint8Array): boolean {
  try {
    const point = createPublicKey({ key: { kty: 'OKP', crv: 'X25519', x: Buffer.from(publicKey).toString('base64url') }, format: 'jwk' });
    const secret = diffieHellman({ privateKey: generateKeyPairSync('x25519').privateKey, publicKey: point });
    return secret.some((byte) => byte !== 0);
  } catch {
    return false;
  }
}

/**
 * Authenticated crypto_box to `recipientPublic`: nonce (24) ‖ box. The anonymous variant is not offered:
 * a share whose sender cannot be told could be replayed or forged by anybody.
 */
export function sealFor(recipientPublic: Uint8Array, senderPrivate: Uint8Array, message: Uint8Array): Uint8Array {
  const nonce = randomBytes(NONCE_BYTES);
  try {
    return concatBytes([nonce, loadedSodium().crypto_box_easy(message, nonce, recipientPublic, senderPrivate)]);
  } catch (error) {
    if (error instanceof CryptoError) throw error;
    throw new CryptoError('malformed', `Cannot seal: ${String(error)}. Both keys must be valid 32-byte X25519 keys.`);
  }
}

/** Opens {@link sealFor}; 'sealed-open-failed' when sender, recipient or bytes do not match. */
export function openFrom(senderPublic: Uint8Array, recipientPrivate: Uint8Array, sealed: Uint8Array): Uint8Array {
  if (!(sealed instanceof Uint8Array) || sealed.length < NONCE_BYTES + TAG_BYTES) {
    throw new CryptoError('malformed', `A sealed message is at least ${NONCE_BYTES + TAG_BYTES} bytes.`);
  }
  try {
    return loadedSodium().crypto_box_open_easy(
      sealed.subarray(NONCE_BYTES),
      sealed.subarray(0, NONCE_BYTES),
      senderPublic,
      recipientPrivate,
    );
  } catch (error) {
    if (error instanceof CryptoError) throw error;
    throw new CryptoError('sealed-open-failed', 'The sealed message was not made by this sender for this recipient, or it was altered.');
  }
}
