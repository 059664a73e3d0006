import { describe, expect, it } from 'vitest';
import { MerkleTree, leafHash } from '../tree/index.js';
import { provenPrefix } from './index.js';

const SIZE = 70;
const leaves = Array.from({ length: SIZE }, (_, index) => leafHash(Uint8Array.of(index)));
const tree = new MerkleTree(leaves);
const signed = { size: BigInt(SIZE), root: tree.root() };
const other = leafHash(Uint8Array.of(255, 255));
const honest = async (older: bigint) => tree.consistencyProof(older);

describe('the entries that a checkpoint is proven to commit to', () => {
  it('are all when all came as they were signed', async () => {
    expect(await provenPrefix(tree, signed, honest)).toBe(BigInt(SIZE));
  });

  it('end before the first that was changed, wherever it is', async () => {
    for (let changed = 0; changed < SIZE; changed++)
      expect(await provenPrefix(new MerkleTree(leaves.with(changed, other)), signed, honest)).toBe(BigInt(changed));
  });

  it('end before the first of two that were swapped', async () => {
    const swapped = leaves.with(20, leaves[50]!).with(50, leaves[20]!);
    expect(await provenPrefix(new MerkleTree(swapped), signed, honest)).toBe(20n);
  });

  it.each([
    ['no proofs', async () => []],
    ['proofs of another log', async (older: bigint) => new MerkleTree(leaves.with(3, other)).consistencyProof(older)],
    ['hashes of the wrong length', async () => [new Uint8Array(31)]],
  ])('are never more than are right, from a log that gives %s', async (_, proofFrom) => {
    expect(await provenPrefix(new MerkleTree(leaves.with(40, other)), signed, proofFrom)).toBeLessThanOrEqual(40n);
  });

  it('are found with few proofs', async () => {
    let asked = 0;
    await provenPrefix(new MerkleTree(leaves.with(33, other)), signed, (older) => (asked++, honest(older)));
    expect(asked).toBeLessThanOrEqual(7);
  });
});
