import { type KeyObject, createPrivateKey, createPublicKey, sign, verify } from 'node:crypto';
import { LedgerError } from '../errors/index.js';

// RFC 8410: the fixed DER that stands before the 32 bytes of an Ed25519 public key (SPKI) and seed (PKCS#8).
const SPKI_PREFIX = Buffer.from('302a300506032b6570032100', 'hex');
const PKCS8_PREFIX = Buffer.from('302e020100300506032b657004220420', 'hex');

export const PUBLIC_KEY_BYTES = 32;
export const SIGNATURE_BYTES = 64;

/** SubjectPublicKeyInfo (44 bytes of DER) of a 32-byte Ed25519 public key. @throws LedgerError 'malformed-key' */
export function spkiFromPublicKey(publicKey: Uint8Array): Uint8Array {
  requireLength(publicKey, 'an Ed25519 public key');
  return new Uint8Array(Buffer.concat([SPKI_PREFIX, publicKey]));
}

/** The reverse; only the one DER form that an Ed25519 key has. @throws LedgerError 'malformed-key' */
export function publicKeyFromSpki(spki: Uint8Array): Uint8Array {
  const prefix = spki.subarray(0, SPKI_PREFIX.length);
  if (spki.length !== SPKI_PREFIX.length + PUBLIC_KEY_BYTES || !SPKI_PREFIX.equals(prefix)) {
    throw new LedgerError(
      'malformed-key',
      `${spki.length} bytes are not the SubjectPublicKeyInfo of an Ed25519 key; other algorithms are not accepted`,
    );
  }
  return new Uint8Array(spki.subarray(SPKI_PREFIX.length));
}

/** The public key of a 32-byte seed. @throws LedgerError 'malformed-key' */
export function publicKeyFromSeed(seed: Uint8Array): Uint8Array {
  const spki = createPublicKey(privateKeyObject(seed)).export({ type: 'spki', format: 'der' });
  return publicKeyFromSpki(spki);
}

/** Plain RFC 8032 Ed25519, without a purpose: the formats of notes and DSSE separate their domains themselves. */
export function signEd25519(message: Uint8Array, seed: Uint8Array): Uint8Array {
  return new Uint8Array(sign(null, message, privateKeyObject(seed)));
}

export function verifyEd25519(message: Uint8Array, signature: Uint8Array, publicKey: Uint8Array): boolean {
  if (signature.length !== SIGNATURE_BYTES) return false;
  try {
    return verify(null, message, publicKeyObject(publicKey), signature);
  } catch {
    // Bytes that are no point of the curve sign nothing.
    return false;
  }
}

// Making the key object takes a third of the time of a verification, and a ledger has few keys. Bounded, since a forged one could have many.
const MAX_KEY_OBJECTS = 512;
const keyObjects = new Map<string, KeyObject>();

function publicKeyObject(publicKey: Uint8Array): KeyObject {
  const name = Buffer.from(publicKey).toString('latin1');
  let key = keyObjects.get(name);
  if (key === undefined) {
    key = createPublicKey({ key: Buffer.from(spkiFromPublicKey(publicKey)), type: 'spki', format: 'der' });
    if (keyObjects.size >= MAX_KEY_OBJECTS) keyObjects.clear();
    keyObjects.set(name, key);
  }
  return key;
}

function privateKeyObject(seed: Uint8Array) {
  requireLength(seed, 'an Ed25519 seed');
  return createPrivateKey({ key: Buffer.concat([PKCS8_PREFIX, seed]), type: 'pkcs8', format: 'der' });
}

function requireLength(bytes: Uint8Array, what: string): void {
  if (bytes.length !== PUBLIC_KEY_BYTES)
    throw new LedgerError('malformed-key', `${what} has ${bytes.length} bytes, not ${PUBLIC_KEY_BYTES}`);
}
