import { describe, expect, it } from 'vitest';
import { MerkleTree, leafHash } from '../tree/index.js';
import { compareTiles, decodeBundle, encodeBundle, exportTiles, levelCount, readEntries, tilePath, tilesOfLevel } from './index.js';

const entries = (count: number) => Array.from({ length: count }, (_, index) => Buffer.from(`entry ${index}`));
const exported = async (count: number) => {
  const files = new Map<string, Uint8Array>();
  const tree = await exportTiles((path, bytes) => void files.set(path, bytes), entries(count));
  return { files, tree, read: (path: string) => files.get(path) };
};

describe('tile paths', () => {
  it.each([
    [0, 0n, 256, 'tile/0/000'],
    [1, 67n, 256, 'tile/1/067'],
    [0, 1_234_067n, 256, 'tile/0/x001/x234/067'],
    [0, 1000n, 8, 'tile/0/x001/000.p/8'],
    ['entries', 5n, 255, 'tile/entries/005.p/255'],
    [63, 999n, 1, 'tile/63/999.p/1'],
  ] as const)('of level %s, index %s, width %s', (level, index, width, path) => {
    expect(tilePath({ level, index, width })).toBe(path);
  });

  it('refuse what cannot be a tile', () => {
    expect(() => tilePath({ level: 64, index: 0n, width: 1 })).toThrow('level 64');
    expect(() => tilePath({ level: 0, index: -1n, width: 1 })).toThrow('index -1');
    expect(() => tilePath({ level: 0, index: 0n, width: 0 })).toThrow('width 0');
    expect(() => tilePath({ level: 0, index: 0n, width: 257 })).toThrow('width 257');
  });

  it('are those of the specification for a tree of 70 000 entries', () => {
    const widths = (level: number) => [...tilesOfLevel(level, 70_000n)].map(({ width }) => width);
    expect(levelCount(70_000n)).toBe(3);
    expect(widths(0)).toEqual([...Array.from({ length: 273 }, () => 256), 112]);
    expect(widths(1)).toEqual([256, 17]);
    expect(widths(2)).toEqual([1]);
  });

  it('a tree of 256 has a full tile and a partial one above it; the empty tree has none', () => {
    expect([...tilesOfLevel(0, 256n)]).toEqual([{ level: 0, index: 0n, width: 256 }]);
    expect([...tilesOfLevel(1, 256n)]).toEqual([{ level: 1, index: 0n, width: 1 }]);
    expect(levelCount(0n)).toBe(0);
  });
});

describe('entry bundles', () => {
  it('hold entries of 0 to 65 535 bytes', () => {
    const list = [new Uint8Array(), Uint8Array.of(1, 2, 3), new Uint8Array(65_535).fill(7)];
    expect(decodeBundle(encodeBundle(list))).toEqual(list);
    expect(() => encodeBundle([new Uint8Array(65_536)])).toThrow('65536 bytes');
  });

  it('are refused when they hold more entries than anything could be, before these are read', () => {
    expect(decodeBundle(new Uint8Array(2 * 300))).toHaveLength(300);
    expect(() => decodeBundle(new Uint8Array(64 << 20))).toThrow('more than 512 entries');
  });

  it('are refused when they end inside an entry or its length', () => {
    const bytes = encodeBundle([Uint8Array.of(1, 2, 3), Uint8Array.of(4)]);
    for (const cut of [1, 2, 4, 6, 7]) expect(() => decodeBundle(bytes.subarray(0, cut))).toThrow('runs to byte');
    expect(decodeBundle(bytes.subarray(0, 5))).toEqual([Uint8Array.of(1, 2, 3)]);
  });
});

describe('an exported log', () => {
  it.each([0, 1, 2, 255, 256, 257, 600])('of %i entries reads back and agrees with itself', async (count) => {
    const { tree, read } = await exported(count);
    const back = await readEntries(read, BigInt(count));
    expect(back.map((entry) => Buffer.from(entry).toString())).toEqual(entries(count).map(String));
    expect(new MerkleTree(back.map(leafHash)).root()).toEqual(tree.root());
    expect(await compareTiles(read, tree)).toEqual([]);
  });

  it('serves an older size from the full tiles that have replaced its partial ones', async () => {
    const { tree, read } = await exported(512);
    expect(await readEntries(read, 300n)).toHaveLength(300);
    expect(await compareTiles(read, new MerkleTree(entries(300).map(leafHash)))).toEqual([
      { path: 'tile/1/000.p/1', problem: 'it is missing' },
    ]);
    expect(tree.size).toBe(512n);
  });

  it('names the tile and the hash that do not agree', async () => {
    const { files, tree, read } = await exported(600);
    const changed = Uint8Array.from(files.get('tile/0/001')!);
    changed[32 * 44 + 5]! ^= 1;
    files.set('tile/0/001', changed);
    files.set('tile/1/000.p/2', new Uint8Array(63));
    files.delete('tile/0/002.p/88');
    expect(await compareTiles(read, tree)).toEqual([
      { path: 'tile/0/001', problem: 'hash 44 is not the one that entry 300 gives' },
      { path: 'tile/0/002.p/88', problem: 'it is missing' },
      { path: 'tile/1/000.p/2', problem: 'it has 63 bytes instead of 64' },
    ]);
  });

  it('says what is missing or short among the bundles', async () => {
    const { files, read } = await exported(300);
    files.set('tile/entries/001.p/44', encodeBundle(entries(43)));
    await expect(readEntries(read, 300n)).rejects.toThrow('tile/entries/001.p/44 holds 43 entries instead of 44');
    files.set('tile/entries/001.p/44', Uint8Array.of(0, 9, 1));
    await expect(readEntries(read, 300n)).rejects.toThrow('entry 0 of tile/entries/001.p/44 runs to byte 11');
    files.delete('tile/entries/001.p/44');
    await expect(readEntries(read, 300n)).rejects.toThrow('tile/entries/001.p/44 is missing');
  });
});
