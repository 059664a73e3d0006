import { describe, expect, it, vi } from 'vitest';
import { MerkleTree } from '../tree/index.js';
import { verifyConsistency, verifyInclusion } from './index.js';

/*
 * What the checks do with a proof does not depend on the hash. With one that costs next to nothing, no proof of any tree of 1 to 256 entries is left out:
 * every leaf, every older size, one bit of every hash. `merkle.proofs.spec` does the same with SHA-256, by default for a sample.
 */
vi.mock('../tree/node.hash.js', async (original) => ({ ...(await original<object>()), nodeHash: mixed }));

/** Every word of the result depends on all words before it, and each step can be undone: a single changed word always shows. Not a hash to sign with. */
function mixed(left: Uint8Array, right: Uint8Array): Uint8Array {
  const [a, b] = [words(left), words(right)];
  const out = new Uint32Array(8);
  let state = 0x9e3779b9;
  for (let index = 0; index < 8; index++) {
    state = Math.imul(state ^ a[index]!, 0x85ebca6b);
    state = Math.imul(state ^ (state >>> 15) ^ b[index]!, 0xc2b2ae35);
    state ^= state >>> 13;
    out[index] = state;
  }
  return new Uint8Array(out.buffer);
}

const words = (bytes: Uint8Array) => new Uint32Array(bytes.buffer, bytes.byteOffset, 8);

const LARGEST = 256;
const leaves = Array.from({ length: LARGEST }, (_, index) => {
  const leaf = Uint32Array.from({ length: 8 }, (__, word) => Math.imul(index + 1, 0x01000193 + 2 * word));
  return new Uint8Array(leaf.buffer);
});
const tree = new MerkleTree(leaves);

/** Whether the proof holds as it is, and with one bit of any of its hashes flipped never. The hashes are the tree's own: they are flipped back. */
function isTight(proof: readonly Uint8Array[], seed: number, holds: () => boolean): boolean {
  if (!holds()) return false;
  return proof.every((hash, position) => {
    const bit = (seed * 31 + position * 97) % 256;
    hash[bit >> 3]! ^= 1 << (bit & 7);
    const accepted = holds();
    hash[bit >> 3]! ^= 1 << (bit & 7);
    return !accepted;
  });
}

/** Copies, so that a flip reaches neither the tree nor a root. */
const copied = (proof: readonly Uint8Array[]) => proof.map((hash) => hash.slice());

describe('in every tree of 1 to 256 entries, one flipped bit of any hash', () => {
  it('of the inclusion proof of any leaf is refused', () => {
    for (let size = 1; size <= LARGEST; size++) {
      const root = tree.root(BigInt(size));
      for (let index = 0; index < size; index++) {
        const proof = copied(tree.inclusionProof(BigInt(index), BigInt(size)));
        const claim = { leafHash: leaves[index]!, index: BigInt(index), size: BigInt(size), root, proof };
        if (!isTight(proof, size + index, () => verifyInclusion(claim))) expect.fail(`entry ${index} of ${size}`);
      }
    }
  });

  it('of the consistency proof from any older size is refused', () => {
    const roots = Array.from({ length: LARGEST + 1 }, (_, size) => (size === 0 ? new Uint8Array(32) : tree.root(BigInt(size))));
    for (let size = 1; size <= LARGEST; size++) {
      for (let older = 1; older <= size; older++) {
        const proof = copied(tree.consistencyProof(BigInt(older), BigInt(size)));
        const claim = { olderSize: BigInt(older), olderRoot: roots[older]!, newerSize: BigInt(size), newerRoot: roots[size]!, proof };
        if (!isTight(proof, size + older, () => verifyConsistency(claim))) expect.fail(`from ${older} to ${size}`);
      }
    }
  });
});
