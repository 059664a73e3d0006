import { hash } from 'node:crypto';
import { LedgerError } from '../errors/index.js';

/** Bytes of every hash in the tree (SHA-256). */
export const HASH_BYTES = 32;

// RFC 6962 §2.1: different prefixes keep an inner node from being presented as an entry (second preimage).
const LEAF_PREFIX = 0x00;
const NODE_PREFIX = 0x01;
const EMPTY = new Uint8Array();

/** SHA-256(0x00 ‖ entry), 32 bytes (RFC 6962 §2.1). */
export function leafHash(entry: Uint8Array): Uint8Array {
  return sha256(LEAF_PREFIX, entry);
}

/** SHA-256(0x01 ‖ left ‖ right), 32 bytes (RFC 6962 §2.1). */
export function nodeHash(left: Uint8Array, right: Uint8Array): Uint8Array {
  return sha256(NODE_PREFIX, left, right);
}

/** The root of the tree without entries: SHA-256 of nothing (RFC 6962 §2.1). */
export function emptyRoot(): Uint8Array {
  return new Uint8Array(hash('sha256', EMPTY, 'buffer'));
}

/** In one call: for such short inputs a hash object that is fed in parts takes twice the time. */
function sha256(prefix: number, first: Uint8Array, second: Uint8Array = EMPTY): Uint8Array {
  const input = new Uint8Array(1 + first.length + second.length);
  input[0] = prefix;
  input.set(first, 1);
  input.set(second, 1 + first.length);
  return new Uint8Array(hash('sha256', input, 'buffer'));
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
