import { createHash } from 'node:crypto';
import { CryptoError } from '../crypto.error.js';
import { bytesToHex, hexToBytes } from './bytes.codec.js';

/* RFC 6962 section 2.1: leaves and nodes hash under different prefixes, so no node can be passed off as a leaf. */

function sha256(...parts: Uint8Array[]): Uint8Array {
  const target = createHash('sha256');
  for (const part of parts) target.update(part);
  return target.digest();
}

const LEAF = Uint8Array.of(0);
const NODE = Uint8Array.of(1);
const leafHash = (leaf: Uint8Array): Uint8Array => sha256(LEAF, leaf);
const nodeHash = (left: Uint8Array, right: Uint8Array): Uint8Array => sha256(NODE, left, right);

/** Largest power of two smaller than `size` (size ≥ 2). */
const split = (size: number): number => 2 ** Math.floor(Math.log2(size - 1));

function subtreeRoot(hashes: readonly Uint8Array[], from: number, to: number): Uint8Array {
  if (to - from === 1) return hashes[from]!;
  const middle = from + split(to - from);
  return nodeHash(subtreeRoot(hashes, from, middle), subtreeRoot(hashes, middle, to));
}

/** Root over the leaves (in our use, 32-byte block digests) as hex; the empty tree is SHA-256 of nothing (RFC 6962). */
export function merkleRoot(leaves: readonly Uint8Array[]): string {
  if (leaves.length === 0) return bytesToHex(sha256());
  return bytesToHex(subtreeRoot(leaves.map(leafHash), 0, leaves.length));
}

/** Audit path of leaf `index`, lowest sibling first, as hex digests. */
export function merklePath(leaves: readonly Uint8Array[], index: number): string[] {
  if (!Number.isSafeInteger(index) || index < 0 || index >= leaves.length) {
    throw new CryptoError('out-of-range', `There is no leaf ${index} in a tree of ${leaves.length}.`);
  }
  const hashes = leaves.map(leafHash);
  const path: Uint8Array[] = [];
  let from = 0;
  let to = hashes.length;
  while (to - from > 1) {
    const middle = from + split(to - from);
    if (index < middle) {
      path.push(subtreeRoot(hashes, middle, to));
      to = middle;
    } else {
      path.push(subtreeRoot(hashes, from, middle));
      from = middle;
    }
  }
  return path.reverse().map(bytesToHex);
}

/** True when `leaf` is leaf `index` of the tree of `size` leaves with this root. Malformed input is false, never an exception. */
export function verifyMerklePath(root: string, index: number, size: number, leaf: Uint8Array, path: readonly string[]): boolean {
  if (!Number.isSafeInteger(size) || !Number.isSafeInteger(index) || index < 0 || index >= size) return false;
  if (!Array.isArray(path) || path.some((step) => typeof step !== 'string' || !/^[0-9a-f]{64}$/.test(step))) return false;
  // RFC 9162 section 2.1.3.2, walking up from the leaf.
  let node = leafHash(leaf);
  let position = index;
  let last = size - 1;
  for (const step of path) {
    if (last === 0) return false;
    const sibling = hexToBytes(step);
    if (position % 2 === 1 || position === last) {
      node = nodeHash(sibling, node);
      while (position % 2 === 0 && position !== 0) {
        position /= 2;
        last = Math.floor(last / 2);
      }
    } else {
      node = nodeHash(node, sibling);
    }
    position = Math.floor(position / 2);
    last = Math.floor(last / 2);
  }
  return last === 0 && bytesToHex(node) === root;
}
