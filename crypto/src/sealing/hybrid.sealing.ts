import { decapsulate, encapsulate, randomBytes } from 'node:crypto';
import { CryptoError } from '../crypto.error.js';
import { concatBytes } from '../hashing/bytes.codec.js';
import { hash, type HashPart } from '../hashing/purpose.hash.js';
import { loadedSodium } from './sodium.loader.js';
import {
  agree,
  privateHalves,
  publicHalves,
  publicKeyFrom,
  SEALING_PRIVATE_KEY_BYTES,
  type SealingKey,
  sealingKeyFault,
} from './sealing.key.js';

/** Ciphertext of ML-KEM-768 (FIPS 203, table 3). */
const KEM_CIPHERTEXT_BYTES = 1088;
const NONCE_BYTES = 24;
const TAG_BYTES = 16;

/** By how much a sealed message is longer than the message. */
export const SEALING_OVERHEAD_BYTES = KEM_CIPHERTEXT_BYTES + NONCE_BYTES + TAG_BYTES;

/**
 * Seals `message` from `sender` for the holder of `recipientPublic`: ML-KEM-768 ciphertext ‖ nonce ‖ XChaCha20-Poly1305 box.
 *
 * The key is SHA-256 over the X25519 secret of the two static keys, the ML-KEM secret, its ciphertext, both public keys and the label. It stays secret while
 * EITHER problem is hard: the hash of a list with one unknown value in it is unknown, as in X-Wing (draft-connolly-cfrg-xwing-kem). X-Wing may leave the
 * ML-KEM ciphertext out because of a property of ML-KEM; here everything public goes in, and nothing rests on that. The label is bound twice, in the key and
 * as associated data: a box does not open as one for another place.
 *
 * Authentication rests on X25519 alone, as in the authenticated mode of RFC 9180: only one who has the sender's or the recipient's private key can make
 * the key (so a stolen recipient key also lets its thief pose as any sender towards that recipient). A KEM ciphertext can be made by anybody, and there is
 * no anonymous variant here: a share whose sender cannot be told could be forged by anybody.
 *
 * @throws CryptoError 'malformed' for keys that are none
 */
export function sealFor(recipientPublic: Uint8Array, sender: SealingKey, label: readonly HashPart[], message: Uint8Array): Uint8Array {
  const fault = sealingKeyFault(recipientPublic);
  if (fault !== undefined) throw new CryptoError('malformed', `Cannot seal: the recipient's key ${fault}.`);
  const sodium = loadedSodium();
  const { x25519, kem } = publicHalves(recipientPublic);
  const dh = agree(privateOf(sender).x25519, x25519);
  const kemPublic = publicKeyFrom('ml-kem-768', kem);
  if (dh === undefined || kemPublic === undefined)
    throw new CryptoError('malformed', 'Cannot seal: no secret can be agreed with the recipient.');
  const { sharedKey, ciphertext } = encapsulate(kemPublic);
  const key = combinedKey({ dh, kemSecret: sharedKey, ciphertext, senderPublic: sender.publicKey, recipientPublic, label });
  const nonce = randomBytes(NONCE_BYTES);
  const box = sodium.crypto_aead_xchacha20poly1305_ietf_encrypt(message, associatedData(label), null, nonce, key);
  for (const secret of [dh, sharedKey, key]) secret.fill(0);
  return concatBytes([ciphertext, nonce, box]);
}

/**
 * Opens {@link sealFor}.
 * @throws CryptoError 'malformed' for keys or lengths that are none; 'sealed-open-failed' when sender, recipient, label or bytes do not match. ML-KEM itself
 * answers an altered ciphertext with a random secret (implicit rejection), so it is always the box that does not open.
 */
export function openFrom(senderPublic: Uint8Array, recipient: SealingKey, label: readonly HashPart[], sealed: Uint8Array): Uint8Array {
  if (!(sealed instanceof Uint8Array) || sealed.length < SEALING_OVERHEAD_BYTES) {
    throw new CryptoError('malformed', `A sealed message is at least ${SEALING_OVERHEAD_BYTES} bytes.`);
  }
  const fault = sealingKeyFault(senderPublic);
  if (fault !== undefined) throw new CryptoError('malformed', `Cannot open: the sender's key ${fault}.`);
  const sodium = loadedSodium();
  const own = privateOf(recipient);
  const ciphertext = sealed.subarray(0, KEM_CIPHERTEXT_BYTES);
  const nonce = sealed.subarray(KEM_CIPHERTEXT_BYTES, KEM_CIPHERTEXT_BYTES + NONCE_BYTES);
  const dh = agree(own.x25519, publicHalves(senderPublic).x25519);
  if (dh === undefined) throw new CryptoError('malformed', 'Cannot open: no secret can be agreed with the sender.');
  const kemSecret = decapsulate(own.kem, ciphertext);
  const key = combinedKey({ dh, kemSecret, ciphertext, senderPublic, recipientPublic: recipient.publicKey, label });
  try {
    const box = sealed.subarray(KEM_CIPHERTEXT_BYTES + NONCE_BYTES);
    return sodium.crypto_aead_xchacha20poly1305_ietf_decrypt(null, box, associatedData(label), nonce, key);
  } catch {
    throw new CryptoError(
      'sealed-open-failed',
      'The sealed message was not made by this sender for this recipient and this place, or it was altered.',
    );
  } finally {
    for (const secret of [dh, kemSecret, key]) secret.fill(0);
  }
}

interface CombinerInput {
  dh: Uint8Array;
  kemSecret: Uint8Array;
  ciphertext: Uint8Array;
  senderPublic: Uint8Array;
  recipientPublic: Uint8Array;
  label: readonly HashPart[];
}

/** Sender before recipient: the static X25519 secret is the same in both directions, the key must not be. */
function combinedKey({ dh, kemSecret, ciphertext, senderPublic, recipientPublic, label }: CombinerInput): Uint8Array {
  return hash('sealing-hybrid', dh, kemSecret, ciphertext, senderPublic, recipientPublic, label);
}

function associatedData(label: readonly HashPart[]): Uint8Array {
  return hash('sealing-label', label);
}

function privateOf({ privateKey }: SealingKey): ReturnType<typeof privateHalves> {
  if (!(privateKey instanceof Uint8Array) || privateKey.length !== SEALING_PRIVATE_KEY_BYTES) {
    throw new CryptoError('malformed', `A private sealing key has ${SEALING_PRIVATE_KEY_BYTES} bytes.`);
  }
  return privateHalves(privateKey);
}
