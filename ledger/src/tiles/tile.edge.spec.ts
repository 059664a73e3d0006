import { describe, expect, it } from 'vitest';
import { MerkleTree, leafHash } from '../tree/index.js';
import { TileEdge, levelCount, tileBytes, tilesOfLevel } from './index.js';

const leaves = Array.from({ length: 66_200 }, (_, index) => leafHash(Uint8Array.of(index & 255, (index >> 8) & 255, index >> 16)));
const tree = new MerkleTree(leaves);
const empty = TileEdge.empty();

describe('the right edge of a tiled log', () => {
  it('gives the root of every size to 1,100, one leaf at a time', () => {
    let edge = empty;
    expect(edge.root()).toEqual(tree.root(0n));
    for (let size = 1; size <= 1100; size++) {
      ({ edge } = edge.extend([leaves[size - 1]!]));
      if (Buffer.compare(edge.root(), tree.root(BigInt(size))) !== 0) expect.fail(`size ${size}`);
    }
  });

  it('gives every full tile once, those of the leaves before the one above them', () => {
    const { edge, full } = empty.extend(leaves);
    expect(edge.size).toBe(66_200n);
    expect(edge.root()).toEqual(tree.root());
    const expected = Array.from({ length: levelCount(66_200n) }, (_, level) =>
      [...tilesOfLevel(level, 66_200n)].flatMap(({ index, width }) => (width === 256 ? [`${level}/${index}`] : [])),
    ).flat();
    expect(full.map(({ level, index }) => `${level}/${index}`).toSorted()).toEqual(expected.toSorted());
    for (const tile of full) {
      const bytes = tileBytes(tree, { ...tile, width: 256 });
      if (Buffer.compare(tile.hashes, bytes) !== 0) expect.fail(`tile ${tile.index} at level ${tile.level}`);
    }
    const order = full.map(({ level, index }) => `${level}/${index}`);
    expect(order.indexOf('1/0')).toBe(order.indexOf('0/255') + 1);
  });

  it('does not depend on how the leaves are cut into pages, and is left as it was', () => {
    const whole = empty.extend(leaves.slice(0, 1000));
    const first = empty.extend(leaves.slice(0, 300));
    const second = first.edge.extend(leaves.slice(300, 1000));
    expect([...first.full, ...second.full]).toEqual(whole.full);
    expect(second.edge.root()).toEqual(whole.edge.root());
    expect(first.edge.size).toBe(300n);
    expect(first.edge.root()).toEqual(tree.root(300n));
  });

  it.each([0, 1, 255, 256, 257, 65_535, 65_536, 65_537, 66_200])('goes on from its stored partial tiles at size %i', (size) => {
    const partials = Array.from({ length: levelCount(BigInt(size)) }, (_, level) => {
      const last = [...tilesOfLevel(level, BigInt(size))].at(-1)!;
      const bytes = last.width === 256 ? new Uint8Array() : tileBytes(tree, { ...last, level });
      return Array.from({ length: bytes.length / 32 }, (__, i) => bytes.subarray(i * 32, i * 32 + 32));
    });
    const edge = TileEdge.resume(BigInt(size), partials);
    expect(edge.root()).toEqual(tree.root(BigInt(size)));
    expect(edge.extend(leaves.slice(size)).edge.root()).toEqual(tree.root());
  });

  it('hands out the partial tiles that it has, and no others', () => {
    const { edge } = empty.extend(leaves.slice(0, 600));
    expect(edge.partial(0, 2n, 88)).toEqual(tileBytes(tree, { level: 0, index: 2n, width: 88 }));
    expect(edge.partial(0, 2n, 5)).toEqual(tileBytes(tree, { level: 0, index: 2n, width: 5 }));
    expect(edge.partial(1, 0n, 2)).toEqual(tileBytes(tree, { level: 1, index: 0n, width: 2 }));
    for (const [level, index, width] of [
      [0, 2n, 89],
      [0, 1n, 256],
      [0, 3n, 1],
      [1, 0n, 3],
      [2, 0n, 1],
    ] as const) {
      expect(edge.partial(level, index, width)).toBeUndefined();
    }
  });

  it('refuses stored hashes that do not fit the size', () => {
    expect(() => TileEdge.resume(300n, [leaves.slice(0, 44)])).toThrow('300 leaves does not have tiles at 1 levels');
    expect(() => TileEdge.resume(300n, [leaves.slice(0, 43), leaves.slice(0, 1)])).toThrow('level 0 of 300 leaves has 44 hashes, not 43');
    expect(() => TileEdge.resume(1n, [[new Uint8Array(31)]])).toThrow('31 bytes');
    expect(() => TileEdge.resume(-1n, [])).toThrow('-1 leaves');
    expect(() => empty.extend([new Uint8Array(5)])).toThrow('a leaf has 5 bytes');
  });
});
