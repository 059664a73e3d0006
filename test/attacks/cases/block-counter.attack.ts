/*
 * Case 13. A coordinator asks for more and more encryptions under one key: each block tells a little about s_i, and the advantage that the plan states holds
 * for at most 2^20 blocks of a site in one key epoch, all purposes together.
 */
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { MAX_BLOCKS_PER_EPOCH } from '@coferment/consortium';
import { loadCrypto } from '@coferment/crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { SumName } from '../../../client-agent/src/connection/instruction.parser.js';
import { encrypt, prepareSum } from '../../../client-agent/src/rounds/contribution.handlers.js';
import type { Member } from '../../../client-agent/src/rounds/members.fixture.js';
import { attack, AttackedConsortium, closeAll } from './attacked.consortium.fixture.js';

let consortium: AttackedConsortium;

beforeAll(async () => {
  await loadCrypto();
  consortium = await AttackedConsortium.inTraining(['a', 'b', 'c']);
  consortium.checkpoint();
});
beforeEach(() => consortium.rewind());
afterAll(closeAll);

function onJournal<T>({ folder }: Member, work: (database: DatabaseSync) => T): T {
  const database = new DatabaseSync(join(folder, 'journal.sqlite'));
  try {
    return work(database);
  } finally {
    database.close();
  }
}

const counted = (member: Member) => onJournal(member, (database) => Number(database.prepare('SELECT blocks FROM epochs').get()!['blocks']));
const setCounter = (member: Member, blocks: number) =>
  onJournal(member, (database) => database.prepare('UPDATE epochs SET blocks = ?').run(blocks));

async function askedFor(name: SumName): Promise<Awaited<ReturnType<typeof attack>>> {
  for (const site of consortium.sites) await prepareSum(consortium.member(site), { name });
  const nonces = consortium.noncesOf(name);
  return attack(consortium.board, consortium.member('a'), () => encrypt(consortium.member('a'), { name, nonces }));
}

describe('the block counter of a key epoch', () => {
  it('has counted every purpose: one confirm and one statistics block, then each attempt at an update', async () => {
    expect(MAX_BLOCKS_PER_EPOCH).toBe(2 ** 20);
    expect(consortium.members.map(counted)).toEqual([2, 2, 2]);
    for (const attempt of [1, 2, 3]) {
      expect(await askedFor(consortium.update(5, 1, attempt))).toMatchObject({ code: 'no refusal' });
      expect(counted(consortium.member('a'))).toBe(2 + attempt);
    }
  });

  it('lets the last block through and no further one, in no later attempt or sum, after no restart', async () => {
    const a = consortium.member('a');
    setCounter(a, 2 ** 20 - 1);
    expect(await askedFor(consortium.update(5, 1, 1))).toMatchObject({ code: 'no refusal', sent: ['contribution', 'object'] });
    expect(counted(a)).toBe(2 ** 20);
    const last = a.journal.rounds.lastEncrypted(consortium.run);
    for (const name of [consortium.update(5, 1, 2), consortium.update(5, 1, 3), consortium.update(6, 1)]) {
      const restarted = consortium.restarted('a');
      expect(await askedFor(name)).toEqual({ code: 'block-limit', changed: [], sent: [] });
      expect(counted(restarted)).toBe(2 ** 20);
      expect(restarted.journal.rounds.lastEncrypted(consortium.run)).toEqual(last);
    }
    expect(consortium.uploads(consortium.update(5, 1, 2), ['a'])).toEqual([]);
  });

  it('is checked against the whole vector, not block by block', async () => {
    const { journal } = consortium.member('a');
    setCounter(consortium.member('a'), 2 ** 20 - 2);
    expect(() => journal.rounds.reserveEncryption(consortium.run, 1, 6, 1, 3)).toThrow(expect.objectContaining({ code: 'block-limit' }));
    expect(counted(consortium.member('a'))).toBe(2 ** 20 - 2);
    journal.rounds.reserveEncryption(consortium.run, 1, 6, 1, 2);
    expect(() => journal.rounds.reserveEncryption(consortium.run, 1, 6, 2, 1)).toThrow(expect.objectContaining({ code: 'block-limit' }));
  });

  it('stands where it was when a killed process had counted but not encrypted', async () => {
    const a = consortium.member('a');
    a.journal.rounds.reserveEncryption(consortium.run, 1, 5, 1, 1);
    consortium.restarted('a');
    expect(counted(a)).toBe(3);
    expect(await askedFor(consortium.update(5, 1, 1))).toMatchObject({ sent: ['attempt-declined'] });
    expect(await askedFor(consortium.update(5, 1, 2))).toMatchObject({ code: 'no refusal' });
    expect(counted(a)).toBe(4);
  });
});
