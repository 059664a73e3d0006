import { describe, expect, it } from 'vitest';
import { consistencyProof, inclusionProof } from '../proof/index.js';
import { MerkleTree, type SubtreeHashes, leafHash } from '../tree/index.js';
import { type FetchTiles, type HashTile, askTiles, hashTile, tileBytes, tilePath } from './index.js';

/** By default every size with a stride of leaves and older sizes; `LEDGER_FULL=1` takes every one (three minutes). */
const FULL = process.env['LEDGER_FULL'] === '1';
const LARGEST = 600;
const TIMEOUT_MS = 300_000;
const leaves = Array.from({ length: 70_000 }, (_, index) => leafHash(Uint8Array.of(index & 255, (index >> 8) & 255, index >> 16)));
const tree = new MerkleTree(leaves);

/** Tiles of the first leaves, and a record of what was fetched. */
function tiles(): { fetch: FetchTiles; fetched: string[] } {
  const fetched: string[] = [];
  return {
    fetched,
    fetch: async (wanted) =>
      wanted.map((tile) => {
        fetched.push(tilePath(tile));
        return tileBytes(tree, tile);
      }),
  };
}

const ask = <T>(size: number, question: (tree: SubtreeHashes) => T) => askTiles(BigInt(size), tiles().fetch, question);
const picks = (size: number) => (FULL ? size : Math.min(size, 7));
const spread = (size: number, count: number) =>
  Array.from({ length: count }, (_, i) => Math.floor((i * (size - 1)) / Math.max(1, count - 1)));

describe('a tree read from tiles', () => {
  it(`gives the roots of every size to ${LARGEST}`, async () => {
    for (let size = 1; size <= LARGEST; size++) {
      expect(await ask(size, (read) => read.subtreeHash(0n, BigInt(size)))).toEqual(tree.root(BigInt(size)));
    }
  });

  it(
    `gives inclusion proofs in every size to ${LARGEST}`,
    async () => {
      for (let size = 1; size <= LARGEST; size++) {
        for (const index of spread(size, picks(size)).map(BigInt)) {
          const proof = await ask(size, (read) => inclusionProof(read, index, BigInt(size)));
          if (!same(proof, tree.inclusionProof(index, BigInt(size)))) expect.fail(`entry ${index} in ${size}`);
        }
      }
    },
    TIMEOUT_MS,
  );

  it(
    `gives consistency proofs to every size to ${LARGEST}`,
    async () => {
      for (let size = 1; size <= LARGEST; size++) {
        for (const older of spread(size, picks(size)).map((index) => BigInt(index + 1))) {
          const proof = await ask(size, (read) => consistencyProof(read, older, BigInt(size)));
          if (!same(proof, tree.consistencyProof(older, BigInt(size)))) expect.fail(`${older} to ${size}`);
        }
      }
    },
    TIMEOUT_MS,
  );

  it.each([65_535, 65_536, 65_537, 70_000])('gives both at three levels, in a tree of %i', async (size) => {
    for (const index of [0, 1, 255, 256, 257, 65_279, 65_280, 65_534, size - 1]) {
      const proof = await ask(size, (read) => inclusionProof(read, BigInt(index), BigInt(size)));
      expect(same(proof, tree.inclusionProof(BigInt(index), BigInt(size)))).toBe(true);
      const consistency = await ask(size, (read) => consistencyProof(read, BigInt(index + 1), BigInt(size)));
      expect(same(consistency, tree.consistencyProof(BigInt(index + 1), BigInt(size)))).toBe(true);
    }
  });

  it('reads at most two tiles a level, each once', async () => {
    for (const index of [0, 30_000, 65_535, 69_999]) {
      for (const question of [
        (read: SubtreeHashes) => inclusionProof(read, BigInt(index), 70_000n),
        (read: SubtreeHashes) => consistencyProof(read, BigInt(index + 1), 70_000n),
      ]) {
        const { fetch, fetched } = tiles();
        await askTiles(70_000n, fetch, question);
        expect(fetched.length).toBeLessThanOrEqual(6);
        expect(new Set(fetched).size).toBe(fetched.length);
      }
    }
  });

  it('asks for the partial tiles of exactly this size', async () => {
    const { fetch, fetched } = tiles();
    await askTiles(70_000n, fetch, (read) => inclusionProof(read, 3n, 70_000n));
    expect(fetched.toSorted()).toEqual(['tile/0/000', 'tile/0/273.p/112', 'tile/1/000', 'tile/1/001.p/17']);
  });
});

describe('a tile that cannot be used', () => {
  const question = (read: SubtreeHashes) => inclusionProof(read, 3n, 300n);

  it.each([
    ['is too short', (bytes: Uint8Array) => bytes.subarray(1)],
    ['is too long', (bytes: Uint8Array) => Buffer.concat([bytes, bytes])],
    ['is empty', () => new Uint8Array()],
  ])('because it %s is refused by its name', async (_, damage) => {
    const fetch: FetchTiles = async (wanted) =>
      wanted.map((tile) => (tile.width === 44 ? damage(tileBytes(tree, tile)) : tileBytes(tree, tile)));
    await expect(askTiles(300n, fetch, question)).rejects.toThrow(/tile\/0\/001\.p\/44 has \d+ bytes instead of 1408/);
  });

  it('because it was not given is refused by its name', async () => {
    await expect(askTiles(300n, async () => [], question)).rejects.toMatchObject({ code: 'malformed-tile' });
  });

  it('lies outside the tree: nothing is fetched', async () => {
    const { fetch, fetched } = tiles();
    await expect(askTiles(300n, fetch, (read) => read.subtreeHash(0n, 301n))).rejects.toThrow('leaves 0 to 301 are not in a tree of 300');
    await expect(askTiles(300n, fetch, (read) => read.subtreeHash(4n, 4n))).rejects.toThrow('leaves 4 to 4');
    expect(fetched).toEqual([]);
    expect(() => hashTile(0, 2n, 512n)).toThrow('no tile 2 at level 0');
    expect(hashTile(1, 0n, 300n)).toEqual<HashTile>({ level: 1, index: 0n, width: 1 });
  });
});

function same(a: readonly Uint8Array[], b: readonly Uint8Array[]): boolean {
  return a.length === b.length && a.every((hash, position) => Buffer.compare(hash, b[position]!) === 0);
}
