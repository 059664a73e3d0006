import { createPrivateKey, createPublicKey, randomBytes, sign, verify, type KeyObject } from 'node:crypto';
import { CryptoError } from '../crypto.error.js';
import { hash } from '../hashing/purpose.hash.js';

/** Ed25519 (RFC 8032): 32-byte public key, 32-byte seed. */
export interface Identity {
  publicKey: Uint8Array;
  privateKey: Uint8Array;
}

/* DER shells of RFC 8410 around a raw key: Node's crypto takes no raw Ed25519 keys. */
const PKCS8 = Buffer.from('302e020100300506032b657004220420', 'hex');
const SPKI = Buffer.from('302a300506032b6570032100', 'hex');

function requireBytes(bytes: Uint8Array, length: number, what: string): void {
  if (!(bytes instanceof Uint8Array) || bytes.length !== length) {
    throw new CryptoError('malformed', `${what} must be ${length} bytes, not ${(bytes as Uint8Array | undefined)?.length ?? 'missing'}.`);
  }
}

function privateKeyObject(seed: Uint8Array): KeyObject {
  requireBytes(seed, 32, 'An Ed25519 private key (seed)');
  return createPrivateKey({ key: Buffer.concat([PKCS8, seed]), format: 'der', type: 'pkcs8' });
}

function publicKeyObject(publicKey: Uint8Array): KeyObject {
  requireBytes(publicKey, 32, 'An Ed25519 public key');
  return createPublicKey({ key: Buffer.concat([SPKI, publicKey]), format: 'der', type: 'spki' });
}

/** The identity whose private key is `seed` (32 bytes). */
export function identityFromSeed(seed: Uint8Array): Identity {
  const der = createPublicKey(privateKeyObject(seed)).export({ format: 'der', type: 'spki' });
  return { publicKey: new Uint8Array(der.subarray(SPKI.length)), privateKey: new Uint8Array(seed) };
}

/** A fresh identity from the operating system's CSPRNG. */
export function generateIdentity(): Identity {
  return identityFromSeed(randomBytes(32));
}

/** Raw Ed25519 over `message` (64 bytes); the caller's encoding MUST separate domains. */
export function signRaw(message: Uint8Array, privateKey: Uint8Array): Uint8Array {
  return new Uint8Array(sign(null, message, privateKeyObject(privateKey)));
}

/** True when `signature` is valid; a signature of the wrong length and a key off the curve or of small order are false. */
export function verifyRaw(message: Uint8Array, signature: Uint8Array, publicKey: Uint8Array): boolean {
  if (!(signature instanceof Uint8Array) || signature.length !== 64) return false;
  try {
    return verify(null, message, publicKeyObject(publicKey), signature);
  } catch {
    return false;
  }
}

/** Signs hash('signature', purpose, message): a signature for one purpose verifies under no other. */
export function signBytes(purpose: string, message: Uint8Array, privateKey: Uint8Array): Uint8Array {
  return signRaw(hash('signature', purpose, message), privateKey);
}

/** Counterpart of {@link signBytes}; false for anything malformed. */
export function verifyBytes(purpose: string, message: Uint8Array, signature: Uint8Array, publicKey: Uint8Array): boolean {
  return verifyRaw(hash('signature', purpose, message), signature, publicKey);
}
