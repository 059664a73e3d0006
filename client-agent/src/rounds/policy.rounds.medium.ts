import { join } from 'node:path';
import { describeModel, modelDigest, peekStatement, planDigest, rosterDigest, setDigest } from '@coferment/consortium';
import { loadCrypto } from '@coferment/crypto';
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Instruction, SumName } from '../connection/instruction.parser.js';
import { Journal } from '../journal/journal.js';
import type { ScriptedConsortium } from './consortium.fixture.js';
import { encrypt, prepareSum } from './contribution.handlers.js';
import { carryOut } from './instruction.router.js';
import { codeOf, inTraining } from './opened.consortia.fixture.js';
import { CONSORTIUM, type Member } from './members.fixture.js';

const UPDATE = 5;
let consortium: ScriptedConsortium;
let a: Member;

beforeAll(loadCrypto);

/** Acts of "a" that are new since. */
const actsSince = (before: number) =>
  consortium.board.acts.slice(before).flatMap(({ site, envelope }) => (site === 'a' ? [peekStatement(envelope)] : []));
const latestRefusal = () => a.journal.activity.refusals(1)[0];
const untold = () => a.journal.activity.untoldRefusals();
const carriesOut = (instruction: object) => carryOut(a, { ...instruction, id: '', run: consortium.run } as Instruction);
const sitesWithNonce = (name: SumName) => consortium.noncesOf(name).map(({ site }) => site);

/** The tests of a part go on from one another, on later and later sums. */
describe('rules that change after the approval', () => {
  beforeAll(async () => {
    consortium = await inTraining(['a', 'b', 'c'], 4);
    a = consortium.member('a');
  });
  beforeEach(() => a.policy.set('schema: 1'));

  it('hold from the next round on, are said once, and go as they came', async () => {
    a.policy.set('schema: 1\nrules: { minContributors: 4 }');
    for (const [sum, attempt] of [
      [UPDATE, 1],
      [UPDATE, 2],
      [UPDATE + 1, 1],
    ] as const) {
      const [acts, trained] = [consortium.board.acts.length, a.trainer.trained];
      expect(await prepareSum(a, { name: consortium.name('update', sum, 1, attempt) })).toEqual({ outcome: 'done' });
      expect(a.trainer.trained).toBe(trained);
      expect(actsSince(acts)).toMatchObject([{ name: 'attempt-declined', predicate: { sum, attempt, reason: 'refused' } }]);
    }
    const message = expect.stringContaining('rule minContributors: plan has 3, floor is 4');
    expect(a.journal.activity.refusals(10)).toMatchObject([{ subject: 'rounds', code: 'policy-refused', message }]);
    expect(untold()).toMatchObject([{ run: consortium.run, subject: 'rounds', rule: 'minContributors', reason: 'plan has 3, floor is 4' }]);
    a.policy.set('schema: 1\nrules: { minContributors: 3 }');
    const name = consortium.name('update', UPDATE + 2, 1);
    await prepareSum(a, { name });
    expect(sitesWithNonce(name)).toEqual(['a']);
  });

  it('also hold between the nonce and the encryption', async () => {
    const name = consortium.name('update', UPDATE + 3, 1);
    for (const member of consortium.members) await prepareSum(member, { name });
    a.policy.set('schema: 1\nrules: { threshold: 4 }');
    const [acts, objects] = [consortium.board.acts.length, consortium.board.objects.size];
    expect(await encrypt(a, { name, nonces: consortium.noncesOf(name) })).toEqual({ outcome: 'done' });
    expect(actsSince(acts)).toMatchObject([{ name: 'attempt-declined', predicate: { reason: 'refused' } }]);
    expect(consortium.board.objects.size).toBe(objects);
    expect(a.journal.rounds.lastEncrypted(consortium.run)?.sum).toBeLessThan(UPDATE);
  });

  it('refuse every step of a key epoch, by its roster', async () => {
    a.policy.set('schema: 1\nrules: { minSites: 4 }');
    const { run } = consortium;
    const acts = consortium.board.acts.length;
    for (const instruction of [
      { kind: 'offerSealingKey', body: { run, ordinal: 1, plan: planDigest(consortium.plan), epoch: 2 } },
      { kind: 'approveRoster', body: { run, epoch: 1, roster: rosterDigest(consortium.roster) } },
      { kind: 'deal', body: { run, epoch: 1 } },
      { kind: 'checkDealing', body: { run, epoch: 1, dealing: consortium.agreement().dealings[0] } },
      { kind: 'agreeEpoch', body: consortium.agreement() },
    ]) {
      const message = expect.stringContaining('rule minSites: 3 sites take part, floor is 4');
      await expect(carriesOut(instruction)).rejects.toMatchObject({ code: 'policy-refused', message });
    }
    expect(actsSince(acts)).toEqual([]);
  });

  it('are joined by the one that no file can leave out: parameters for tests are refused', async () => {
    await expect(carriesOut({ kind: 'deal', body: { run: consortium.run, epoch: 1 } })).rejects.toMatchObject({
      rule: 'encryption',
      reason: 'the encryption parameters INSECURE_TEST_1024 are for tests only',
    });
  });

  it('count rounds of the month over all runs, one round once', async () => {
    const other = 'r9-0123456789abcdef';
    a.policy.set('schema: 1\nrules: { roundsPerMonth: 2 }');
    a.journal.runs.noteTraining(other, 1);
    const name = consortium.name('update', UPDATE + 4, 1);
    await prepareSum(a, { name });
    // The same round under other sums and in other attempts before.
    expect(a.journal.runs.trainingRoundsSince(0, { run: '', round: 0 })).toBe(2);
    expect(a.journal.runs.trainingRoundsSince(Date.now() + 1, { run: '', round: 0 })).toBe(0);
    expect(sitesWithNonce(name)).toEqual(['a']);
    a.journal.runs.noteTraining(other, 2);
    const acts = consortium.board.acts.length;
    await prepareSum(a, { name: { ...name, attempt: 2 } });
    expect(actsSince(acts)).toMatchObject([{ name: 'attempt-declined', predicate: { reason: 'refused' } }]);
    expect(latestRefusal()?.message).toContain('rule roundsPerMonth: 2 of 2 rounds of this month are used');
  });

  it('stop everything when they cannot be read, also sums that are frozen', async () => {
    const frozen = await consortium.contribute(consortium.name('update', UPDATE + 5, 1));
    a.policy.set('schema: 1\nrules: { minContributor: 3 }');
    const acts = consortium.board.acts.length;
    for (const instruction of [
      { kind: 'prepareSum', body: { name: consortium.name('update', UPDATE + 6, 1) } },
      { kind: 'attest', body: { sums: [frozen] } },
      { kind: 'deal', body: { run: consortium.run, epoch: 1 } },
    ])
      expect(await codeOf(carriesOut(instruction))).toBe('policy-invalid');
    expect(actsSince(acts)).toEqual([]);
  });
});

describe('consent that is withdrawn while the agent serves', () => {
  beforeAll(async () => {
    consortium = await inTraining(['a', 'b', 'c'], 4);
    a = consortium.member('a');
  });

  /** From another process, as a person does. */
  const decide = (decision: 'approved' | 'withdrawn', reason = '') => {
    const journal = Journal.open(join(a.folder, 'journal.sqlite'));
    journal.approvals.decidePlan(planDigest(consortium.plan), 1, decision, ['a', 'b', 'c'], { reason });
    journal.close();
  };

  it('takes effect at the next round, and the site still opens what is frozen with its update', async () => {
    const frozen = await consortium.contribute(consortium.name('update', UPDATE, 1));
    decide('withdrawn', 'our lawyers want to see it first');
    await consortium.publish(await consortium.open(frozen, await consortium.certify([frozen])));
    expect(a.journal.models.progress(consortium.run).appliedSum).toBe(UPDATE);

    // That a set of the next model is bound in another run, as it is for the first models of every run of a plan, makes this sum no frozen one.
    const modelIn = modelDigest(describeModel(consortium.plan), consortium.state!.model);
    const sites = ['a', 'b', 'c'];
    const elsewhere = { consortium: CONSORTIUM, run: 'r9-0123456789abcdef', sum: 1, kind: 'update' as const, modelIn };
    a.journal.rounds.bindFreeze({ ...elsewhere, t: 'f'.repeat(64), set: setDigest(sites), sites });

    const next = consortium.name('update', UPDATE + 1, 2);
    const [acts, trained] = [consortium.board.acts.length, a.trainer.trained];
    for (const member of consortium.members) expect(await prepareSum(member, { name: next })).toEqual({ outcome: 'done' });
    expect(a.trainer.trained).toBe(trained);
    expect(actsSince(acts)).toMatchObject([{ name: 'attempt-declined', predicate: { sum: UPDATE + 1, reason: 'withdrawn' } }]);
    expect(sitesWithNonce(next)).toEqual(['b', 'c']);
    expect(latestRefusal()).toMatchObject({
      subject: 'rounds',
      code: 'consent-withdrawn',
      message: expect.stringContaining('plans approve'),
    });
    expect(untold()).toMatchObject([{ rule: 'withdrawn', reason: 'our lawyers want to see it first' }]);
  });

  it('stays withdrawn after a restart, until a person approves again', async () => {
    a = consortium.restart('a');
    const name = consortium.name('update', UPDATE + 1, 2, 2);
    await prepareSum(a, { name });
    expect(sitesWithNonce(name)).toEqual([]);
    decide('approved');
    await prepareSum(a, { name: { ...name, attempt: 3 } });
    expect(sitesWithNonce({ ...name, attempt: 3 })).toEqual(['a']);
  });

  it('encrypts nothing for a nonce that it had given, and keeps what it had signed', async () => {
    const name = consortium.name('update', UPDATE + 2, 2);
    for (const member of consortium.members) await prepareSum(member, { name });
    const nonces = consortium.noncesOf(name);
    const b = consortium.member('b');
    await encrypt(b, { name, nonces });
    decide('withdrawn');
    await encrypt(a, { name, nonces });
    expect(a.journal.statements.find(consortium.run, 'contribution', `${UPDATE + 2}/1`)).toBeUndefined();
    // "b" has signed its upload already: it is sent again when it is asked for again.
    b.journal.approvals.decidePlan(planDigest(consortium.plan), 1, 'withdrawn');
    const acts = consortium.board.acts.length;
    await encrypt(b, { name, nonces });
    expect(consortium.board.acts.slice(acts).map(({ envelope }) => peekStatement(envelope).name)).toEqual(['contribution']);
    b.journal.approvals.decidePlan(planDigest(consortium.plan), 1, 'approved', ['a', 'b', 'c']);
  });

  it('completes a sum over a set that it has signed, in a new key epoch', async () => {
    decide('approved');
    await consortium.certify([await consortium.contribute(consortium.name('update', UPDATE + 3, 2))]);
    decide('withdrawn');
    await consortium.renew({ epoch: 2, firstSum: UPDATE + 4 });
    await consortium.wholeSum(consortium.name('update', UPDATE + 7, 2));
    expect(a.journal.models.progress(consortium.run).appliedSum).toBe(UPDATE + 7);
    // Nothing of the next round.
    const next = consortium.name('update', UPDATE + 8, 3);
    await prepareSum(a, { name: next });
    expect(sitesWithNonce(next)).toEqual([]);
  });
});
