import { modelDigest, describeModel, peekStatement, planDigest } from '@coferment/consortium';
import { loadCrypto } from '@coferment/crypto';
import { beforeAll, describe, expect, it } from 'vitest';
import { AgentError } from '../agent.error.js';
import type { ScriptedConsortium } from './consortium.fixture.js';
import { encrypt, prepareSum } from './contribution.handlers.js';
import { openConsortium } from './opened.consortia.fixture.js';

const UPDATE = 5;
/** Three sites of ten rows, of which the last says that it has more. */
async function afterStatistics(claimed: bigint): Promise<ScriptedConsortium> {
  const consortium = openConsortium();
  consortium.member('c').trainer.claimedRows = claimed;
  await consortium.toRounds();
  return consortium;
}

const refusal = async (work: Promise<unknown>): Promise<AgentError> =>
  work.then(
    () => expect.unreachable(),
    (error: unknown) => error as AgentError,
  );

beforeAll(loadCrypto);

describe('a site whose update one row count has drowned', () => {
  it('neither trains nor gives a nonce, and says so to its people and to the coordinator', async () => {
    const consortium = await afterStatistics(2n ** 20n);
    const { board, plan, run, state } = consortium;
    const name = consortium.name('update', UPDATE, 1);
    for (const site of ['a', 'b']) {
      const member = consortium.member(site);
      const [trained, objects, acts] = [member.trainer.trained, board.objects.size, board.acts.length];
      const error = await refusal(prepareSum(member, { name }));
      expect(error).toBeInstanceOf(AgentError);
      expect(error.code).toBe('weight-drowned');
      expect(error.message).toMatch(/weight cap of 1048576 .* weight of 10 leaves 0\.3 of 17 bits .* and 5 are needed/);
      expect(error.message).toMatch(/weighting\.by equal or a weighting\.cap .* training\.initialRange/);
      expect(member.trainer.trained).toBe(trained);
      expect(member.nonces.peek(run, UPDATE, 1)).toBeUndefined();
      expect(member.journal.rounds.vector(planDigest(plan), 'update', modelDigest(describeModel(plan), state!.model))).toBeUndefined();
      expect(board.objects.size).toBe(objects);
      const sent = board.acts.slice(acts).map(({ envelope }) => peekStatement(envelope));
      expect(sent).toMatchObject([{ name: 'attempt-declined', predicate: { site, sum: UPDATE, attempt: 1, reason: 'refused' } }]);
    }
    expect(consortium.noncesOf(name)).toEqual([]);
  });

  it('says the same after a restart and in the next attempt, and encrypts nothing though it is told to', async () => {
    const consortium = await afterStatistics(2n ** 20n);
    const name = consortium.name('update', UPDATE, 1);
    await refusal(prepareSum(consortium.member('a'), { name }));
    const a = consortium.restart('a');
    expect((await refusal(prepareSum(a, { name }))).code).toBe('weight-drowned');
    expect((await refusal(prepareSum(a, { name: { ...name, attempt: 2 } }))).code).toBe('weight-drowned');
    const objects = consortium.board.objects.size;
    await encrypt(a, { name, nonces: consortium.members.map(({ site }) => ({ site, nonce: 'a'.repeat(64) })) });
    expect(consortium.board.objects.size).toBe(objects);
  });

  it('is none of those that have as many rows', async () => {
    const consortium = await afterStatistics(2n ** 20n);
    const c = consortium.member('c');
    c.trainer.rows = 2 ** 20;
    await prepareSum(c, { name: consortium.name('update', UPDATE, 1) });
    expect(consortium.board.latest('nonce').map((envelope) => peekStatement(envelope).predicate)).toContainEqual(
      expect.objectContaining({ site: 'c', sum: UPDATE }),
    );
  });
});

describe('a count that leaves bits enough', () => {
  it('lets the round go on', async () => {
    const consortium = await afterStatistics(400n);
    await consortium.wholeSum(consortium.name('update', UPDATE, 1));
    expect(consortium.state).toMatchObject({ round: 1, weightCap: 512 });
  });
});
