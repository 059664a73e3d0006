import type { Checkpoint } from '@coferment/ledger';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { LedgerDatabase } from '../testing/ledger-database.fixture.js';
import { checkLedger } from './ledger.check.js';
import type { SignedEntry } from './ledger.log.js';

/** Two full tiles, eight entries behind them, and of these three that nobody has signed a checkpoint over yet. */
const SIZE = 520;
const PUBLISHED = 517;

let ledger: LedgerDatabase;
let acts: SignedEntry[];
let whole: Checkpoint;
let published: Checkpoint;
beforeAll(async () => {
  ledger = await LedgerDatabase.open();
  acts = Array.from({ length: SIZE }, (_, index) => ledger.act(`act ${index}`));
  await store(acts, PUBLISHED);
  whole = published;
  for (const table of ['entry', 'tile']) await change(`CREATE TABLE kept_${table} AS SELECT * FROM ledger_${table}`);
});
beforeEach(async () => {
  await ledger.clear();
  for (const table of ['entry', 'tile']) await change(`INSERT INTO ledger_${table} SELECT * FROM kept_${table}`);
  await change(`UPDATE ledger_head SET size = ${SIZE}`);
  published = whole;
});
afterAll(() => ledger.remove());

async function store(signed: readonly SignedEntry[], size: number): Promise<void> {
  await ledger.clear();
  const log = ledger.log();
  await ledger.database.transaction((manager) => log.appendAll(manager, signed));
  await log.follow();
  published = { origin: 'ledger.localhost/checked', size: BigInt(size), root: await log.root(size) };
}

const change = (statement: string) => ledger.source.query(statement) as Promise<unknown>;
const check = async (checkpoint: Checkpoint | undefined = published) => (await checkLedger(ledger, checkpoint)).problems;

const changeByte = (column: 'entry' | 'payload', index: number, place: number) =>
  change(`UPDATE ledger_entry SET ${column} = set_byte(${column}, ${place}, get_byte(${column}, ${place}) # 1) WHERE index = ${index}`);
const swap = (one: number, other: number) =>
  change(
    `WITH a AS (SELECT * FROM ledger_entry WHERE index = ${one}), b AS (SELECT * FROM ledger_entry WHERE index = ${other})
     UPDATE ledger_entry e SET entry = x.entry, payload = x.payload
     FROM (SELECT ${other} AS place, entry, payload FROM a UNION ALL SELECT ${one}, entry, payload FROM b) x WHERE e.index = x.place`,
  );

describe('the check of a ledger', () => {
  it('finds nothing when every row is as it was', async () => {
    expect(await checkLedger(ledger, published)).toEqual({ entries: SIZE, published: PUBLISHED, problems: [] });
    expect((await checkLedger(ledger, undefined)).problems).toEqual([]);
  });

  it('tells how far it is', async () => {
    const told: number[] = [];
    await checkLedger(ledger, published, (read) => told.push(read));
    expect(told).toEqual([256, 512, 520]);
  });

  it.each(['entry', 'payload'] as const)('names the row of one changed byte of an %s, wherever in it', async (column) => {
    await store(acts.slice(0, 1), 1);
    const [row] = await ledger.entries.entries(ledger.source.manager, 0, 1);
    for (let place = 0; place < row![column].length; place += 11) {
      await changeByte(column, 0, place);
      const [problem] = await check();
      if (!problem?.startsWith('Entry 0: ')) expect.fail(`byte ${place}: ${problem}`);
      await changeByte(column, 0, place);
    }
    expect(await check()).toEqual([]);
  });

  it.each([17, 300, 513, 519])('names changed entry %i, in a full tile, behind it, or not published yet', async (index) => {
    await changeByte('payload', index, 5);
    expect(await check()).toEqual([expect.stringMatching(`^Entry ${index}: the payload hashes to`)]);
    await changeByte('payload', index, 5);
    await changeByte('entry', index, 60);
    const problems = await check();
    expect(problems[0]).toMatch(new RegExp(`^Entry ${index}: `));
    expect(problems.every((problem) => problem.startsWith(`Entry ${index}`))).toBe(true);
  });

  it('names a changed hash, and that its entry is as it was published', async () => {
    await change(`UPDATE ledger_tile SET hashes = set_byte(hashes, ${32 * 44 + 3}, get_byte(hashes, ${32 * 44 + 3}) # 1) WHERE index = 1`);
    expect(await check()).toEqual(['Hash 44 of tile/0/001 is not that of entry 300, which is as it was published.']);
    expect(await check({ ...published, root: new Uint8Array(32) })).toEqual([
      'Entry 300 and hash 44 of tile/0/001 do not agree: one of the two rows was changed.',
    ]);
  });

  it.each([17, 511, 514, 519])('names deleted entry %i', async (index) => {
    await change(`DELETE FROM ledger_entry WHERE index = ${index}`);
    expect(await check()).toEqual([`Entry ${index} is missing.`]);
  });

  it('names a deleted or cut tile', async () => {
    await change('UPDATE ledger_tile SET hashes = substring(hashes FROM 2) WHERE index = 0');
    expect(await check()).toEqual(['tile/0/000 has 8191 bytes instead of 8192.']);
    await change('DELETE FROM ledger_tile WHERE index = 0');
    expect(await check()).toEqual(['tile/0/000 is missing.']);
  });

  it('names two entries that were swapped, though each holds for itself', async () => {
    await swap(17, 400);
    expect(await check()).toEqual([
      'Entry 17 is not the one that was published; hash 17 of tile/0/000 is as it was.',
      'Entry 400 is not the one that was published; hash 144 of tile/0/001 is as it was.',
    ]);
  });

  it('names the range when two were swapped whose hashes are in no full tile', async () => {
    await swap(513, 515);
    expect(await check()).toEqual([expect.stringMatching(/^Entries 512 to 516 are not as they were published, or not in that order/)]);
  });

  it('says when the head, or the database as a whole, is behind', async () => {
    await change('UPDATE ledger_head SET size = 519');
    expect(await check()).toEqual(['ledger_head says that there are 519 entries, but there is entry 519.']);
    await store(acts.slice(0, 300), 300);
    expect(await check({ ...published, size: 301n })).toEqual(['The published checkpoint has 301 entries, and the database 300.']);
  });

  it('finds another ledger, whole in itself, under the published checkpoint', async () => {
    await store(acts.slice(0, 512), 512);
    expect(await check({ ...published, root: new Uint8Array(32) })).toEqual([
      'The first 512 entries agree with each other, but not with the published checkpoint.',
    ]);
  });

  it('stops at a hundred problems', async () => {
    await change('UPDATE ledger_entry SET payload = entry');
    expect(await check()).toHaveLength(100);
  });

  it.runIf(process.env['LEDGER_FULL'] === '1')('names a changed hash above the leaves', { timeout: 600_000 }, async () => {
    await store(
      Array.from({ length: 65_540 }, (_, index) => ledger.act(`act ${index}`)),
      65_540,
    );
    expect(await check()).toEqual([]);
    await change('UPDATE ledger_tile SET hashes = set_byte(hashes, 64, get_byte(hashes, 64) # 1) WHERE level = 1');
    expect(await check()).toEqual(['Hash 2 of tile/1/000 and tile/0/002 do not agree: one of the two rows was changed.']);
  });
});
