import { createPrivateKey, createPublicKey, diffieHellman, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { concatBytes } from '../hashing/bytes.codec.js';

const X25519_BYTES = 32;
/** Encapsulation key of ML-KEM-768 (FIPS 203, table 3). */
const KEM_PUBLIC_BYTES = 1184;
/** d ‖ z, from which FIPS 203 derives the decapsulation key: a seed cannot disagree with itself as an expanded key can. */
const KEM_SEED_BYTES = 64;

export const SEALING_PUBLIC_KEY_BYTES = X25519_BYTES + KEM_PUBLIC_BYTES;
export const SEALING_PRIVATE_KEY_BYTES = X25519_BYTES + KEM_SEED_BYTES;

/**
 * Hybrid key pair of one epoch, erased with it. Public: X25519 (32) ‖ ML-KEM-768 encapsulation key (1184). Private: X25519 (32) ‖ ML-KEM seed (64).
 * The halves are one key and are signed as one: with halves that could be exchanged, a sender would seal to a half that somebody else holds.
 */
export interface SealingKey {
  publicKey: Uint8Array;
  privateKey: Uint8Array;
}

type Curve = 'x25519' | 'ml-kem-768';

/** Needs no `loadCrypto`. */
export function generateSealingKey(): SealingKey {
  const curve = generateKeyPairSync('x25519');
  const kem = generateKeyPairSync('ml-kem-768');
  return {
    publicKey: concatBytes([rawPublic(curve.publicKey), rawPublic(kem.publicKey)]),
    privateKey: concatBytes([curve.privateKey.export({ format: 'raw-private' }), kem.privateKey.export({ format: 'raw-seed' })]),
  };
}

/**
 * Why nothing may be sealed for this public key, in words that follow "the key"; undefined for a good one. Checked where a key is taken in, because
 * a key that fails only when it is used would stop the whole key epoch. Needs no `loadCrypto`.
 */
export function sealingKeyFault(publicKey: Uint8Array): string | undefined {
  if (!(publicKey instanceof Uint8Array) || publicKey.length !== SEALING_PUBLIC_KEY_BYTES) {
    return `has ${publicKey?.length ?? 0} bytes; an X25519 key and an ML-KEM-768 key have ${SEALING_PUBLIC_KEY_BYTES}`;
  }
  const { x25519, kem } = publicHalves(publicKey);
  // With a point of low order the shared secret is all zeros whatever the other key is (RFC 7748, 6.1): its half would protect and authenticate nothing.
  if (agree(generateKeyPairSync('x25519').privateKey, x25519) === undefined) return 'has a point of low order in its X25519 half';
  // FIPS 203, 7.2: coefficients are below q = 3329, so that one key has one encoding. OpenSSL checks it on import.
  if (publicKeyFrom('ml-kem-768', kem) === undefined) return 'has an ML-KEM-768 half that fails the modulus check of FIPS 203';
  return undefined;
}

export function publicHalves(publicKey: Uint8Array): { x25519: Uint8Array; kem: Uint8Array } {
  return { x25519: publicKey.subarray(0, X25519_BYTES), kem: publicKey.subarray(X25519_BYTES) };
}

export function privateHalves(privateKey: Uint8Array): { x25519: KeyObject; kem: KeyObject } {
  return {
    x25519: privateKeyFrom('x25519', 'raw-private', privateKey.subarray(0, X25519_BYTES)),
    kem: privateKeyFrom('ml-kem-768', 'raw-seed', privateKey.subarray(X25519_BYTES)),
  };
}

/** The X25519 secret of the two, or undefined for a point of low order or anything that is no key. */
export function agree(privateKey: KeyObject, publicBytes: Uint8Array): Uint8Array | undefined {
  const publicKey = publicKeyFrom('x25519', publicBytes);
  if (publicKey === undefined) return undefined;
  try {
    const secret = diffieHellman({ privateKey, publicKey });
    return secret.some((byte) => byte !== 0) ? new Uint8Array(secret) : undefined;
  } catch {
    return undefined;
  }
}

export function publicKeyFrom(type: Curve, bytes: Uint8Array): KeyObject | undefined {
  try {
    return createPublicKey({ key: Buffer.from(bytes), format: 'raw-public', asymmetricKeyType: type });
  } catch {
    return undefined;
  }
}

function privateKeyFrom(type: Curve, format: 'raw-private' | 'raw-seed', bytes: Uint8Array): KeyObject {
  return createPrivateKey({ key: Buffer.from(bytes), format, asymmetricKeyType: type });
}

function rawPublic(key: KeyObject): Uint8Array {
  return key.export({ format: 'raw-public' });
}
