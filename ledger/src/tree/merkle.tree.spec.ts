import { describe, expect, it } from 'vitest';
import { MerkleFrontier, MerkleTree, emptyRoot, leafHash, nodeHash } from './index.js';

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');
const leaves = (count: number) => Array.from({ length: count }, (_, index) => leafHash(Uint8Array.of(index & 255, index >> 8)));

/** RFC 6962 §2.1 word for word: slow, recursive, and independent of the classes under test. */
function tableRoot(hashes: readonly Uint8Array[]): Uint8Array {
  if (hashes.length <= 1) return hashes[0] ?? emptyRoot();
  let half = 1;
  while (half * 2 < hashes.length) half *= 2;
  return nodeHash(tableRoot(hashes.slice(0, half)), tableRoot(hashes.slice(half)));
}

describe('hashes of RFC 6962', () => {
  it('gives the published roots of the empty tree and of one empty entry', () => {
    expect(hex(emptyRoot())).toBe('e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855');
    expect(hex(leafHash(new Uint8Array()))).toBe('6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d');
  });

  it('gives the published roots of the eight-entry tree used by Certificate Transparency implementations', () => {
    const inputs = ['', '00', '10', '2021', '3031', '40414243', '5051525354555657', '606162636465666768696a6b6c6d6e6f'];
    const tree = new MerkleTree(inputs.map((input) => leafHash(Buffer.from(input, 'hex'))));
    expect(hex(tree.root(6n))).toBe('76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef');
    expect(hex(tree.root())).toBe('5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328');
  });
});

describe('a tree and its frontier', () => {
  it('agree with the definition at every size up to 300', () => {
    const all = leaves(300);
    const tree = new MerkleTree();
    const frontier = MerkleFrontier.empty();
    for (const [index, leaf] of all.entries()) {
      expect(tree.append(leaf)).toBe(BigInt(index));
      frontier.append(leaf);
      const expected = hex(tableRoot(all.slice(0, index + 1)));
      expect(hex(tree.root())).toBe(expected);
      expect(hex(frontier.root())).toBe(expected);
    }
    expect(tree.size).toBe(300n);
    expect(frontier.size).toBe(300n);
    for (const size of [0, 1, 2, 3, 127, 128, 129, 255, 256, 257]) {
      expect(hex(tree.root(BigInt(size)))).toBe(hex(tableRoot(all.slice(0, size))));
    }
  });

  it('goes on from a stored frontier as if it had never stopped', () => {
    const whole = new MerkleTree(leaves(77));
    const before = MerkleFrontier.empty();
    leaves(41).forEach((leaf) => before.append(leaf));
    const after = MerkleFrontier.resume(before.size, before.subtrees);
    leaves(77)
      .slice(41)
      .forEach((leaf) => after.append(leaf));
    expect(hex(after.root())).toBe(hex(whole.root()));
    expect(hex(before.root())).toBe(hex(whole.root(41n)));
  });

  it('refuses a frontier whose hashes do not fit its size', () => {
    expect(() => MerkleFrontier.resume(3n, leaves(1))).toThrow('a tree of 3 leaves has 2 complete subtrees, not 1');
    expect(() => MerkleFrontier.resume(-1n, [])).toThrow('cannot have -1 leaves');
    expect(() => MerkleFrontier.resume(1n, [new Uint8Array(31)])).toThrow('31 bytes');
  });

  it('refuses a leaf that is not a hash and sizes outside the tree', () => {
    const tree = new MerkleTree(leaves(3));
    expect(() => tree.append(new Uint8Array(33))).toThrow('a leaf has 33 bytes');
    expect(() => tree.root(4n)).toThrow('size 4 is not between 0 and 3');
    expect(() => tree.inclusionProof(3n)).toThrow('entry 3 is not in a tree of 3');
    expect(() => tree.inclusionProof(0n, 4n)).toThrow('size 4');
    expect(() => tree.consistencyProof(0n)).toThrow('no consistency proof from size 0');
    expect(() => tree.consistencyProof(3n, 2n)).toThrow('from size 3 to size 2');
    expect(() => tree.subtreeHash(2n, 2n)).toThrow('leaves 2 to 2');
  });
});
