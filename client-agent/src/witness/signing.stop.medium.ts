import { planDigest } from '@coferment/consortium';
import { loadCrypto } from '@coferment/crypto';
import { beforeAll, describe, expect, it } from 'vitest';
import type { FrozenSum, Instruction } from '../connection/instruction.parser.js';
import { approvePlan, offerSealingKey } from '../rounds/approval.handlers.js';
import { checkDealing, dealKey } from '../rounds/ceremony.handlers.js';
import type { ScriptedConsortium } from '../rounds/consortium.fixture.js';
import { encrypt, prepareSum } from '../rounds/contribution.handlers.js';
import { followInstructions } from '../rounds/instructed.member.fixture.js';
import { carryOut } from '../rounds/instruction.router.js';
import type { Member } from '../rounds/members.fixture.js';
import { codeOf, inTraining, openConsortium } from '../rounds/opened.consortia.fixture.js';
import { attest, releaseShare } from '../rounds/opening.handlers.js';
import { dismissEvidence, keepEvidence } from './split.evidence.js';

beforeAll(loadCrypto);

/** What the coordinator has got: signed acts, and objects. */
const got = ({ board }: ScriptedConsortium) => [board.acts.length, board.objects.size];
let found = 0;
const find = (member: Member) => keepEvidence(member, 'comparison', 'Two lists.', `{"first":"${++found}"}`);
const signedBy = ({ journal }: Member) => journal.record.lines().filter(({ line }) => line.includes('"kind":"signed"')).length;

describe('a site that holds evidence against the log', () => {
  let consortium: ScriptedConsortium;
  let a: Member;
  let frozen: FrozenSum;
  beforeAll(async () => {
    consortium = await inTraining();
    a = consortium.member('a');
    frozen = await consortium.contribute(consortium.name('update', 5, 1));
  });

  it('signs nothing in a round, whichever step it is asked for, however it is asked', async () => {
    find(a);
    const before = [...got(consortium), signedBy(a)];
    const next = consortium.name('update', 5, 1, 2);
    const nonces = [{ site: 'a', nonce: a.nonces.draw(next.run, 5, 2) }, ...consortium.noncesOf(frozen.name).slice(1)];
    expect(await codeOf(prepareSum(a, { name: next }))).toBe('log-split');
    expect(await codeOf(encrypt(a, { name: next, nonces }))).toBe('log-split');
    expect(await codeOf(attest(a, { sums: [frozen] }))).toBe('log-split');
    expect([...got(consortium), signedBy(a)]).toEqual(before);
  });

  it('tells its people why it does nothing, also after a restart, and goes on when they have decided', async () => {
    const attesting = { kind: 'attest', id: '1', run: consortium.run, body: { sums: [frozen] } } as unknown as Instruction;
    const stopped = { outcome: 'waiting', reason: expect.stringContaining('evidence 1'), whatToDo: expect.stringMatching(/--dismiss/) };
    expect(await carryOut(a, attesting)).toMatchObject(stopped);
    a = consortium.restart('a');
    expect(await carryOut(a, attesting)).toMatchObject(stopped);
    dismissEvidence(a.journal, 1, 'a person has looked at it');
    const before = consortium.board.all('attestation').length;
    expect(await carryOut(a, attesting)).toEqual({ outcome: 'done' });
    expect(consortium.board.all('attestation')).toHaveLength(before + 1);
  });

  it('keeps a share back that it was making when the evidence came', async () => {
    for (const site of ['b', 'c']) await attest(consortium.member(site), { sums: [frozen] });
    const certificate = consortium.board.latest('attestation');
    const before = [...got(consortium), signedBy(a)];
    const crypto = Object.assign(Object.create(a.crypto) as typeof a.crypto, {
      shareBlocks: (...given: Parameters<typeof a.crypto.shareBlocks>) => (find(a), a.crypto.shareBlocks(...given)),
    });
    expect(await codeOf(releaseShare({ ...a, crypto }, { frozen, certificate }))).toBe('log-split');
    expect([...got(consortium), signedBy(a)]).toEqual(before);
  });

  it('polls on, and tells the operator nothing that it would have to sign', async () => {
    a.journal.activity.refuse(consortium.run, 'encrypt 6', 'sum-changed', 'Sum 6.', { rule: 'r', reason: 'x' });
    a.journal.ownActs.killEpoch({ run: consortium.run, epoch: 9, reason: 'for a test' });
    const before = got(consortium);
    let polls = 0;
    await followInstructions(a, [], () => ++polls > 3);
    expect(got(consortium)).toEqual(before);
    dismissEvidence(a.journal, 2, 'a person has looked at it');
    polls = 0;
    await followInstructions(a, [], () => ++polls > 3);
    expect(consortium.board.all('instruction-refused')).toHaveLength(1);
    expect(consortium.board.all('epoch-left')).toHaveLength(1);
  });
});

describe('a site that has not begun', () => {
  it('approves nothing and takes part in no ceremony', async () => {
    const consortium = openConsortium();
    consortium.openEpoch();
    const a = consortium.member('a');
    const { run } = consortium;
    for (const site of ['b', 'c']) await dealKey(consortium.member(site), { run, epoch: 1 });
    find(a);
    const before = [...got(consortium), signedBy(a)];
    const plan = planDigest(consortium.plan);
    a.journal.approvals.decidePlan(plan, 1, 'approved');
    const dealing = consortium.board.all('dealing')[0]!;
    const work: [string, Promise<unknown>][] = [
      ['approvePlan', approvePlan(a, { run, ordinal: 1, plan, sites: ['a', 'b', 'c'] })],
      ['offerSealingKey', offerSealingKey(a, { run, ordinal: 1, plan, epoch: 2 })],
      ['dealKey', dealKey(a, { run, epoch: 1 })],
      ['checkDealing', checkDealing(a, { run, epoch: 1, dealing })],
    ];
    const codes: Record<string, string> = {};
    for (const [name, promise] of work) codes[name] = await codeOf(promise);
    expect(codes).toEqual(Object.fromEntries(work.map(([name]) => [name, 'log-split'])));
    expect([...got(consortium), signedBy(a)]).toEqual(before);
  });
});
