import { createHash } from 'node:crypto';
import { LedgerError } from '../errors/index.js';

/** Bytes of every hash in the tree (SHA-256). */
export const HASH_BYTES = 32;

// RFC 6962 §2.1: different prefixes keep an inner node from being presented as an entry (second preimage).
const LEAF_PREFIX = Uint8Array.of(0x00);
const NODE_PREFIX = Uint8Array.of(0x01);

/** SHA-256(0x00 ‖ entry), 32 bytes (RFC 6962 §2.1). */
export function leafHash(entry: Uint8Array): Uint8Array {
  return new Uint8Array(createHash('sha256').update(LEAF_PREFIX).update(entry).digest());
}

/** SHA-256(0x01 ‖ left ‖ right), 32 bytes (RFC 6962 §2.1). */
export function nodeHash(left: Uint8Array, right: Uint8Array): Uint8Array {
  return new Uint8Array(createHash('sha256').update(NODE_PREFIX).update(left).update(right).digest());
}

/** The root of the tree without entries: SHA-256 of nothing (RFC 6962 §2.1). */
export function emptyRoot(): Uint8Array {
  return new Uint8Array(createHash('sha256').digest());
}

/** @throws LedgerError 'malformed-hash' unless the bytes are one SHA-256 hash */
export function requireHash(hash: Uint8Array, what: string): Uint8Array {
  if (hash.length !== HASH_BYTES) {
    throw new LedgerError('malformed-hash', `${what} has ${hash.length} bytes; a SHA-256 hash has ${HASH_BYTES}`);
  }
  return hash;
}

export function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return Buffer.compare(a, b) === 0;
}

/** The largest power of two strictly below n, for n ≥ 2: where RFC 6962 splits a list of n leaves. */
export function splitPoint(n: bigint): bigint {
  return 1n << BigInt((n - 1n).toString(2).length - 1);
}
