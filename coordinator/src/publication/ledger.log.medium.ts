import { sha256Hex } from '@coferment/crypto';
import { decodeBundle, tileBytes } from '@coferment/ledger';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { LedgerDatabase } from '../testing/ledger-database.fixture.js';

let ledger: LedgerDatabase;
beforeAll(async () => void (ledger = await LedgerDatabase.open()));
beforeEach(() => ledger.clear());
afterAll(() => ledger.remove());

const storedTiles = () =>
  ledger.source.query('SELECT level, index, hashes FROM ledger_tile ORDER BY level, index') as Promise<StoredTile[]>;
interface StoredTile {
  level: number;
  index: string;
  hashes: Buffer;
}

describe('a ledger of 1,300 entries', () => {
  it('gives the roots, proofs, tiles and bundles that the whole tree gives', async () => {
    const log = ledger.log();
    for (const count of [1, 254, 1, 1, 43, 1000]) {
      await ledger.fill(count);
      await log.follow();
      expect(await log.root()).toEqual((await ledger.tree()).root());
    }
    const tree = await ledger.tree();
    expect(log.size).toBe(1300);
    for (const size of [0, 1, 255, 256, 257, 512, 1279, 1280, 1299, 1300]) expect(await log.root(size)).toEqual(tree.root(BigInt(size)));
    for (const [index, size] of [
      [0, 1300],
      [255, 256],
      [256, 300],
      [1299, 1300],
      [700, 1281],
    ] as const)
      expect(await log.inclusionProof(index, size)).toEqual(tree.inclusionProof(BigInt(index), BigInt(size)));
    for (const [older, newer] of [
      [1, 1300],
      [256, 1300],
      [300, 1280],
      [1299, 1300],
      [1300, 1300],
    ] as const)
      expect(await log.consistencyProof(older, newer)).toEqual(tree.consistencyProof(BigInt(older), BigInt(newer)));
    for (const [level, index, width] of [
      [0, 0, 256],
      [0, 4, 256],
      [0, 5, 20],
      [0, 4, 7],
      [1, 0, 5],
      [1, 0, 2],
    ] as const)
      expect(await log.tile(level, index, width)).toEqual(tileBytes(tree, { level, index: BigInt(index), width }));
    for (const [level, index, width] of [
      [0, 5, 21],
      [0, 6, 1],
      [1, 0, 6],
      [1, 1, 1],
      [2, 0, 1],
      [0, 0, 0],
      [0, 0, 257],
    ] as const)
      expect(await log.tile(level, index, width)).toBeUndefined();
    const bundle = decodeBundle((await log.entryBundle(5, 20))!);
    expect(bundle).toHaveLength(20);
    expect(bundle).toEqual((await log.entries(1280, 20)).map(({ entry }) => new Uint8Array(entry)));
    expect(await log.entryBundle(5, 21)).toBeUndefined();
    expect((await storedTiles()).map(({ level, index }) => `${level}/${index}`)).toEqual(['0/0', '0/1', '0/2', '0/3', '0/4']);
  });

  it('goes on after a restart from the stored tiles, hashing only what is after the last of them', async () => {
    await ledger.fill(1300);
    await ledger.log().follow();
    const read = vi.spyOn(ledger.entries, 'bodies');
    const again = ledger.log();
    await again.follow();
    expect(read.mock.calls.map(([, start]) => start)).toEqual([1280]);
    read.mockRestore();
    await ledger.fill(300);
    await again.follow();
    expect(await again.root()).toEqual((await ledger.tree()).root());
  });

  it('that has no tiles yet, as one from before there were any, gets them', async () => {
    await ledger.fill(1300);
    await ledger.log().follow();
    const before = await storedTiles();
    await ledger.source.query('TRUNCATE ledger_tile');
    const log = ledger.log();
    await log.follow();
    expect(await storedTiles()).toEqual(before);
    expect(await log.root()).toEqual((await ledger.tree()).root());
  });
});

describe('two coordinators on one database', () => {
  it('store the same tiles, whoever is faster', async () => {
    const [one, other] = [ledger.log(), ledger.log()];
    for (const count of [200, 400, 700]) {
      await ledger.fill(count);
      await Promise.all([one.follow(), other.follow()]);
    }
    expect(await other.root()).toEqual(await one.root());
    const tree = await ledger.tree();
    for (const { level, index, hashes } of await storedTiles())
      expect(new Uint8Array(hashes)).toEqual(tileBytes(tree, { level, index: BigInt(index), width: 256 }));
  });

  it('do not go on when one stored a tile that the entries do not give', async () => {
    const log = ledger.log();
    await ledger.fill(300);
    await log.follow();
    await ledger.fill(300);
    const tree = await ledger.tree();
    const wrong = Uint8Array.from(tileBytes(tree, { level: 0, index: 1n, width: 256 }));
    wrong[32 * 44 + 5]! ^= 1;
    await ledger.source.query('INSERT INTO ledger_tile VALUES (0, 1, $1)', [Buffer.from(wrong)]);
    const refusal = { code: 'ledger-damaged', message: expect.stringContaining('Hash 44 of tile/0/001 and entry 300 do not agree') };
    await expect(log.follow()).rejects.toMatchObject(refusal);
    expect(log.size).toBe(300);
    await expect(log.follow()).rejects.toMatchObject(refusal);
  });
});

describe('a row that is missing or cut', () => {
  it('among the entries is named when they are taken in', async () => {
    await ledger.fill(300);
    await ledger.source.query('DELETE FROM ledger_entry WHERE index = 17');
    await expect(ledger.log().follow()).rejects.toThrow(
      'Entry 17 is missing from the database. Stop the coordinator and run `coferment ledger check --data DIR`',
    );
  });

  it('among the entries is named when they are read or their bundle is asked for', async () => {
    const log = ledger.log();
    await ledger.fill(300);
    await log.follow();
    await ledger.source.query('DELETE FROM ledger_entry WHERE index IN (17, 299)');
    await expect(log.entryBundle(0, 256)).rejects.toThrow('Entry 17 is missing');
    await expect(log.entries(10, 20)).rejects.toThrow('Entry 17 is missing');
    await expect(log.entryBundle(1, 44)).rejects.toThrow('Entry 299 is missing');
  });

  it('among the tiles is named at the start', async () => {
    await ledger.fill(800);
    await ledger.log().follow();
    await ledger.source.query('UPDATE ledger_tile SET hashes = substring(hashes FROM 2) WHERE level = 0 AND index = 1');
    await expect(ledger.log().follow()).rejects.toThrow('tile/0/001 has 8191 bytes in the database instead of 8192');
    await ledger.source.query('DELETE FROM ledger_tile WHERE level = 0 AND index = 1');
    await expect(ledger.log().follow()).rejects.toThrow('tile/0/001 is missing from the database');
  });

  it('among the tiles is named when a proof needs it', async () => {
    const log = ledger.log();
    await ledger.fill(800);
    await log.follow();
    await ledger.source.query('DELETE FROM ledger_tile WHERE level = 0 AND index = 1');
    await expect(log.inclusionProof(300, 800)).rejects.toMatchObject({ code: 'ledger-damaged' });
    expect(await log.inclusionProof(3, 800)).toHaveLength(10);
  });
});

describe('acts', () => {
  it('of one transaction get consecutive entries, and none when it is taken back', async () => {
    const log = ledger.log();
    await ledger.fill(3);
    const acts = ['a', 'b', 'c'].map((text) => ledger.act(text));
    const first = await ledger.database.transaction((manager) => log.appendAll(manager, acts));
    expect(first).toBe(3);
    const lost = ledger.database.transaction(async (manager) => {
      await log.appendAll(manager, [ledger.act('lost')]);
      throw new Error('taken back');
    });
    await expect(lost).rejects.toThrow('taken back');
    expect(await ledger.database.transaction((manager) => log.appendAll(manager, [ledger.act('d')]))).toBe(6);
    await log.follow();
    const payloads = (await log.entries(3, 10)).map(({ payload }) => JSON.parse(payload.toString()) as { act: string });
    expect(payloads.map(({ act }) => act)).toEqual(['a', 'b', 'c', 'd']);
  });

  it('are found by the hash of their statement', async () => {
    const log = ledger.log();
    await ledger.fill(2);
    const acts = ['a', 'b', 'a'].map((text) => ledger.act(text));
    await ledger.database.transaction((manager) => log.appendAll(manager, acts));
    const payload = Buffer.from(acts[1]!.envelope.payload, 'base64');
    expect(await log.find(sha256Hex(payload))).toBe(3);
    expect(Buffer.from((await log.payload(sha256Hex(payload)))!)).toEqual(payload);
    expect(await log.find(sha256Hex(Buffer.from(acts[2]!.envelope.payload, 'base64')))).toBe(2);
    expect(await log.find('00'.repeat(32))).toBeUndefined();
    expect(await log.payload('not hex')).toBeUndefined();
  });

  it('are found through an index, not by reading the ledger', async () => {
    await ledger.source.query('SET enable_seqscan = off');
    const plan = (await ledger.source.query(`EXPLAIN SELECT index FROM ledger_entry WHERE sha256(payload) = '\\x00'`)) as {
      'QUERY PLAN': string;
    }[];
    await ledger.source.query('RESET enable_seqscan');
    expect(plan.map((line) => line['QUERY PLAN']).join('\n')).toContain('ledger_entry_payload');
  });
});
