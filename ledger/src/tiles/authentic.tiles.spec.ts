import { describe, expect, it } from 'vitest';
import { consistencyProof, inclusionProof, verifyConsistency, verifyInclusion } from '../proof/index.js';
import { MerkleTree, leafHash } from '../tree/index.js';
import { AuthenticTiles, encodeBundle, exportTiles, firstDifferingEntry, tilePath } from './index.js';

const words = (count: number, from = count, said = 'other') =>
  Array.from({ length: count }, (_, index) => Buffer.from(index < from ? `entry ${index}` : `${said} ${index}`));

async function served(entries: readonly Uint8Array[]) {
  const files = new Map<string, Uint8Array>();
  const tree = await exportTiles((path, bytes) => void files.set(path, bytes), entries);
  const asked: string[] = [];
  const read = (path: string) => {
    asked.push(path);
    return files.get(path);
  };
  return { files, tree, asked, read, open: () => AuthenticTiles.open(read, { size: tree.size, root: tree.root() }) };
}

describe('tiles from a source that nobody trusts', () => {
  it.each([
    ['the right edge', 'tile/0/002.p/88', 'right edge'],
    ['the tile above', 'tile/1/000.p/2', 'right edge'],
  ])('are refused at once with another hash in %s', async (_, path, message) => {
    const log = await served(words(600));
    log.files.set(path, log.files.get(path)!.with(5, 0xff));
    await expect(log.open()).rejects.toThrow(message);
  });

  it.each([
    ['another hash', (bytes: Uint8Array) => bytes.with(32, bytes[32]! ^ 1), 'tile/0/001 (entries 256 to 511) is not'],
    ['a hash too few', (bytes: Uint8Array) => bytes.subarray(32), 'tile/0/001 has 8160 bytes'],
    ['nothing', () => undefined, 'tile/0/001 is missing'],
  ])('are refused when one full tile has %s', async (_, change, message) => {
    const log = await served(words(600));
    const changed = change(log.files.get('tile/0/001')!);
    if (changed) log.files.set('tile/0/001', changed);
    else log.files.delete('tile/0/001');
    const tiles = await log.open();
    await expect(tiles.tile(0, 1n)).rejects.toThrow(message);
    expect(await tiles.tile(0, 0n)).toEqual(log.files.get('tile/0/000'));
  });

  it('name the entry that was changed, and a bundle that is short or cut', async () => {
    const log = await served(words(600));
    const tiles = await log.open();
    expect(await tiles.entries(2n)).toHaveLength(88);
    log.files.set('tile/entries/001', encodeBundle(words(600, 300).slice(256, 512)));
    await expect(tiles.entries(1n)).rejects.toThrow('Entry 300 (in tile/entries/001) is not');
    log.files.set('tile/entries/001', encodeBundle(words(511).slice(256)));
    await expect(tiles.entries(1n)).rejects.toThrow('holds 255 entries instead of 256');
    log.files.set('tile/entries/001', log.files.get('tile/entries/001')!.subarray(0, 100));
    await expect(tiles.entries(1n)).rejects.toThrow('runs to byte');
  });

  it('may be full ones where only the beginning is asked for', async () => {
    const { read, tree } = await served(words(512));
    const tiles = await AuthenticTiles.open((path) => (path === 'tile/1/000.p/1' ? read('tile/1/000.p/2')!.subarray(0, 32) : read(path)), {
      size: 300n,
      root: tree.root(300n),
    });
    expect(await tiles.entries(1n)).toEqual(
      words(300)
        .slice(256)
        .map((entry) => new Uint8Array(entry)),
    );
  });

  it('of no entries need the root of none', async () => {
    await expect(AuthenticTiles.open(() => undefined, { size: 0n, root: new MerkleTree().root() })).resolves.toMatchObject({ size: 0n });
    await expect(AuthenticTiles.open(() => undefined, { size: 0n, root: new Uint8Array(32) })).rejects.toThrow('right edge');
  });
});

describe('proofs from tiles', () => {
  it.each([1, 2, 255, 256, 257, 511, 512, 600, 1025])('of %i entries are those of the whole tree', async (count) => {
    const log = await served(words(count));
    const size = BigInt(count);
    for (const older of new Set([1, 2, 3, 100, 255, 256, 257, 300, 511, 512, 513, 768, count - 1, count])) {
      if (older < 1 || older > count) continue;
      const tiles = await (await log.open()).loadPath(BigInt(older));
      expect(await tiles.rootAt(BigInt(older)), `${older}`).toEqual(log.tree.root(BigInt(older)));
      const proof = consistencyProof(tiles, BigInt(older), size);
      const claim = {
        olderSize: BigInt(older),
        olderRoot: log.tree.root(BigInt(older)),
        newerSize: size,
        newerRoot: log.tree.root(),
        proof,
      };
      expect(verifyConsistency(claim)).toBe(true);
      const index = BigInt(older) - 1n;
      const included = inclusionProof(await tiles.loadPath(index), index, size);
      const leaf = leafHash(words(count)[Number(index)]!);
      expect(verifyInclusion({ leafHash: leaf, index, size, root: log.tree.root(), proof: included })).toBe(true);
    }
  });
});

describe('the first difference of two logs', () => {
  it('is found wherever it is, and there is none between a log and its beginning', async () => {
    const sizes = [1, 3, 255, 256, 257, 512, 600];
    for (const olderSize of sizes)
      for (const newerSize of sizes) {
        const older = await (await served(words(olderSize))).open();
        const common = Math.min(olderSize, newerSize);
        for (const at of new Set([0, 1, 128, 254, 255, 256, 300, 511, 512, common - 1, common])) {
          if (at > common) continue;
          const newer = await (await served(words(newerSize, at))).open();
          const expected = at < common ? BigInt(at) : undefined;
          expect(await firstDifferingEntry(older, newer), `${olderSize}, ${newerSize}, ${at}`).toBe(expected);
        }
      }
  });

  it('takes a few tiles of a large log', async () => {
    const [older, newer] = [await served(words(20_000)), await served(words(20_001, 13_333))];
    const [one, other] = [await older.open(), await newer.open()];
    newer.asked.length = 0;
    expect(await firstDifferingEntry(one, other)).toBe(13_333n);
    expect(newer.asked).toEqual([tilePath({ level: 0, index: 52n, width: 256 })]);
  });
});
