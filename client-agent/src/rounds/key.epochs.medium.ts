import { describeModel, modelDigest, type PredicateName, peekStatement } from '@coferment/consortium';
import { type DsseEnvelope, loadCrypto } from '@coferment/crypto';
import { beforeAll, describe, expect, it } from 'vitest';
import type { AgentError } from '../agent.error.js';
import type { FrozenSum } from '../connection/instruction.parser.js';
import { approveRoster, offerSealingKey } from './approval.handlers.js';
import { agreeEpoch, checkDealing, dealKey } from './ceremony.handlers.js';
import type { ScriptedConsortium } from './consortium.fixture.js';
import { encrypt, prepareSum } from './contribution.handlers.js';
import { inTraining, openConsortium } from './opened.consortia.fixture.js';
import { attest, releaseShare } from './opening.handlers.js';
import { applySum } from './publication.handlers.js';
import { forgetEndedRuns } from './run.departure.js';

const FOUR = ['a', 'b', 'c', 'd'];
beforeAll(loadCrypto);

const consortiumOf = (sites: readonly string[] = FOUR): ScriptedConsortium => openConsortium(sites, 1);

/** Confirms 1–4, statistics 5, and the update of round 1, sum 6, frozen and certified over these sites but not opened. */
async function frozenUpdate(sites = FOUR): Promise<{ consortium: ScriptedConsortium; frozen: FrozenSum; certificate: DsseEnvelope[] }> {
  const consortium = consortiumOf();
  await consortium.toRounds();
  const frozen = await consortium.contribute(consortium.name('update', 6, 1), sites);
  return { consortium, frozen, certificate: await consortium.certify([frozen]) };
}

const code = async (work: Promise<unknown>): Promise<string> =>
  work.then(
    (outcome) => JSON.stringify(outcome),
    (error: unknown) => (error as AgentError).code,
  );

const count = (consortium: ScriptedConsortium, name: PredicateName) => consortium.board.all(name).length;

describe('an unfinished sum in a new key epoch', () => {
  it('is completed over the same set with the same vectors, and gives the model it would have given', async () => {
    const { consortium } = await frozenUpdate();
    await consortium.renew({ epoch: 2, firstSum: 7, holders: ['a', 'b', 'd'] });
    await consortium.wholeSum(consortium.name('update', 11, 1));
    for (const { trainer } of consortium.members) expect(trainer.trained).toBe(2);
    const undisturbed = consortiumOf();
    await undisturbed.toRounds();
    await undisturbed.wholeSum(undisturbed.name('update', 6, 1));
    const description = describeModel(consortium.plan);
    expect(modelDigest(description, consortium.state!.model)).toBe(modelDigest(description, undisturbed.state!.model));
    for (const { journal } of consortium.members) {
      expect(journal.models.progress(consortium.run)).toMatchObject({ appliedSum: 11, state: { round: 1 } });
      expect(journal.steps.find(consortium.run, 6)?.state).toBe('superseded');
    }
  });

  it('is signed and opened by nobody over a smaller set, though the new roster is smaller', async () => {
    const { consortium } = await frozenUpdate();
    await consortium.renew({ epoch: 2, firstSum: 7, leftOut: ['d'], holders: ['a', 'b', 'c'] });
    const shares = count(consortium, 'share');
    const smaller = await consortium.contribute(consortium.name('update', 10, 1), ['a', 'b', 'c']);
    for (const site of FOUR) expect(await code(attest(consortium.member(site), { sums: [smaller] }))).toBe('set-changed');
    expect(await code(releaseShare(consortium.member('a'), { frozen: smaller, certificate: [] }))).toBe('certificate-short');
    expect(count(consortium, 'share')).toBe(shares);
  });

  it('may be over any set when nobody had signed one, and a site that is left out signs and follows it', async () => {
    const consortium = consortiumOf();
    await consortium.toRounds();
    await consortium.contribute(consortium.name('update', 6, 1));
    await consortium.renew({ epoch: 2, firstSum: 7, leftOut: ['d'], holders: ['a', 'b', 'c'] });
    const name = consortium.name('update', 10, 1);
    const frozen = await consortium.contribute(name, ['a', 'b', 'c']);
    const certificate = await consortium.certify([frozen]);
    expect(certificate).toHaveLength(4);
    await consortium.publish(await consortium.open(frozen, certificate));
    const d = consortium.member('d');
    expect(d.journal.models.progress(consortium.run).state?.round).toBe(1);
    expect(await code(prepareSum(d, { name: { ...name, sum: 11, kind: 'evaluate' } }))).toBe('not-a-member');
    expect(consortium.board.all('epoch-agreed').filter((act) => signer(act) === 'd')).toHaveLength(1);
  });
});

const signer = (envelope: DsseEnvelope) => (peekStatement(envelope).predicate as { site: string }).site;

describe('after a site has signed a newer key epoch', () => {
  it('it signs, encrypts and opens nothing of the older one, and still applies what was opened in it', async () => {
    const { consortium, frozen, certificate } = await frozenUpdate();
    const published = await consortium.open(frozen, certificate);
    const late = consortium.member('d');
    for (const site of ['a', 'b', 'c']) await applySum(consortium.member(site), published);
    const { run } = consortium;
    consortium.openEpoch(1, { epoch: 2, firstSum: 7 });
    await consortium.deal();
    // Until E is signed the older epoch goes on.
    expect(await code(attest(late, { sums: [frozen] }))).toContain('done');
    await consortium.ceremony();
    const before = consortium.board.acts.length;
    const { name, nonces } = frozen;
    for (const work of [
      prepareSum(late, { name: { ...name, attempt: 2 } }),
      encrypt(late, { name: { ...name, attempt: 2 }, nonces }),
      attest(late, { sums: [frozen] }),
      releaseShare(late, { frozen, certificate }),
    ])
      expect(await code(work)).toBe('epoch-over');
    expect(consortium.board.acts).toHaveLength(before);
    expect(await code(applySum(late, published))).toContain('done');
    expect(late.journal.models.progress(run).state?.round).toBe(1);
  });

  it('the secrets of the older one are erased, also when the power was cut in between', async () => {
    const { consortium } = await frozenUpdate();
    const { run } = consortium;
    consortium.openEpoch(1, { epoch: 2, firstSum: 7 });
    await consortium.deal();
    const a = consortium.member('a');
    for (const record of ['sealing', 'secret', 'noise', 'share/b']) expect(a.store.read(`epochs/${run}/1/${record}`)).toBeDefined();
    const agreement = consortium.agreement();
    await agreeEpoch(a, agreement);
    for (const record of ['sealing', 'secret', 'noise', 'share/b']) expect(a.store.read(`epochs/${run}/1/${record}`)).toBeUndefined();
    expect(a.store.read(`epochs/${run}/2/secret`)).toBeDefined();
    const b = consortium.member('b');
    b.journal.runs.agreeEpoch(run, 2, a.journal.runs.epoch(run, 2)!.e!);
    const restarted = consortium.restart('b');
    forgetEndedRuns(restarted);
    expect(restarted.store.read(`epochs/${run}/1/secret`)).toBeUndefined();
    expect(restarted.store.read(`epochs/${run}/2/secret`)).toBeDefined();
  });
});

describe('a key epoch whose first sums the one before has overtaken', () => {
  it('is not signed: its confirm sums would count as done', async () => {
    const consortium = await inTraining(['a', 'b', 'c'], 3);
    const { epoch, roster, e0 } = consortium;
    consortium.openEpoch(1, { epoch: 2, firstSum: 5 });
    const second = { epoch: consortium.epoch, roster: consortium.roster, e0: consortium.e0 };
    Object.assign(consortium, { epoch, roster, e0 });
    await consortium.wholeSum(consortium.name('update', 5, 1));
    Object.assign(consortium, second);
    await consortium.deal();
    const a = consortium.member('a');
    expect(await code(agreeEpoch(a, consortium.agreement()))).toBe('roster-first-sum');
    expect(a.journal.runs.newestAgreed(consortium.run)).toBe(1);
  });
});

describe('a key holder whose share was not named', () => {
  it('applies a sum of the epoch before after its keys are erased, as one that holds no key', async () => {
    const { consortium, frozen, certificate } = await frozenUpdate();
    const { state } = consortium;
    const all = await consortium.open(frozen, certificate);
    const shares = all.shares.filter((share) => signer(share) !== 'a');
    consortium.state = state;
    const opened = { ...all, shares, aggregate: consortium.aggregate(frozen, certificate, shares) };
    consortium.openEpoch(1, { epoch: 2, firstSum: 7 });
    await consortium.ceremony();
    const a = consortium.member('a');
    expect(await code(applySum(a, opened))).toContain('done');
    expect(a.journal.models.progress(consortium.run)).toMatchObject({ appliedSum: 6, state: { round: 1 } });
  });
});

describe('epoch numbers', () => {
  it('only grow: a step of an older ceremony is refused once a newer roster is approved', async () => {
    const consortium = consortiumOf();
    consortium.openEpoch();
    await consortium.deal();
    const first = consortium.agreement();
    const { run } = consortium;
    const a = consortium.member('a');
    const { plan, ordinal, roster } = { ...a.journal.runs.get(run)!, ...a.journal.runs.epoch(run, 1)! };
    consortium.openEpoch(1, { epoch: 3 });
    const before = consortium.board.acts.length;
    for (const epoch of [0, 1, 2, 101]) {
      for (const work of [
        offerSealingKey(a, { run, ordinal, plan, epoch }),
        approveRoster(a, { run, epoch, roster }),
        dealKey(a, { run, epoch }),
        checkDealing(a, { run, epoch, dealing: first.dealings[0]! }),
        agreeEpoch(a, { ...first, epoch }),
      ])
        expect(await code(work)).toBe('epoch-not-growing');
    }
    expect(consortium.board.acts).toHaveLength(before);
    expect(await code(offerSealingKey(a, { run, ordinal: 2, plan, epoch: 3 }))).toBe('run-changed');
  });

  it('bind every act: those of an earlier epoch are refused in the next', async () => {
    const consortium = consortiumOf();
    consortium.openEpoch();
    await consortium.deal();
    const { run } = consortium;
    const [a, b] = [consortium.member('a'), consortium.member('b')];
    const earlier = consortium.agreement();
    consortium.openEpoch(1, { epoch: 2 });
    await consortium.deal();
    const now = consortium.agreement();
    const e0 = (envelope: DsseEnvelope) => (peekStatement(envelope).predicate as { e0: string }).e0;
    expect(e0(now.dealings[0]!)).not.toBe(e0(earlier.dealings[0]!));
    expect(await code(checkDealing(b, { run, epoch: 2, dealing: earlier.dealings[0]! }))).toBe('other-position');
    expect(await code(agreeEpoch(a, { ...now, dealings: earlier.dealings }))).toBe('other-position');
    expect(await code(agreeEpoch(a, { ...now, acknowledgements: earlier.acknowledgements }))).toBe('other-position');
    expect(await code(agreeEpoch(a, now))).toContain('done');
  });

  it('keep a certificate of one epoch from opening a sum of the next', async () => {
    const { consortium, certificate } = await frozenUpdate();
    await consortium.renew({ epoch: 2, firstSum: 7 });
    const again = await consortium.contribute(consortium.name('update', 11, 1));
    expect(await code(releaseShare(consortium.member('a'), { frozen: again, certificate }))).toBe('other-position');
  });
});

describe('a site that is left out', () => {
  it('is no dealer: an epoch with its dealing is refused, and so is its key in a sum', async () => {
    const consortium = consortiumOf();
    consortium.openEpoch();
    await consortium.deal();
    const theirs = consortium.agreement().dealings.find((dealing) => signer(dealing) === 'd')!;
    consortium.openEpoch(1, { epoch: 2, leftOut: ['d'], holders: ['a', 'b', 'c'] });
    await consortium.deal();
    const a = consortium.member('a');
    const agreement = consortium.agreement();
    expect(await code(agreeEpoch(a, { ...agreement, dealings: [...agreement.dealings, theirs] }))).toBe('not-in-epoch');
    expect(await code(dealKey(consortium.member('d'), { run: consortium.run, epoch: 2 }))).toBe('not-a-member');
    await consortium.ceremony();
    await consortium.confirm();
    const name = consortium.name('statistics', 4);
    expect(await code(consortium.contribute(name))).toBe('not-a-member');
  });
});

describe('a frozen sum', () => {
  it('has no further attempt, in its own epoch or under its number in the next', async () => {
    const { consortium, frozen } = await frozenUpdate();
    const a = consortium.member('a');
    const name = { ...frozen.name, attempt: 2 };
    const before = consortium.board.acts.length;
    expect(await code(prepareSum(a, { name }))).toBe('sum-changed');
    expect(await code(encrypt(a, { name, nonces: frozen.nonces }))).toBe('sum-changed');
    expect(consortium.board.acts).toHaveLength(before);
    await consortium.renew({ epoch: 2, firstSum: 7 });
    expect(await code(prepareSum(a, { name: { ...name, epoch: 2 } }))).toBe('wrong-kind');
  });
});

describe('a dealing that was cut off', () => {
  it('is sent again byte for byte once it was signed', async () => {
    const consortium = consortiumOf();
    consortium.openEpoch();
    const { run, board } = consortium;
    board.failing = true;
    expect(await code(dealKey(consortium.member('a'), { run, epoch: 1 }))).toBe('unreachable');
    const signed = consortium.member('a').journal.statements.find(run, 'dealing', '1')!;
    const secret = consortium.member('a').store.read(`epochs/${run}/1/secret`);
    board.failing = false;
    const a = consortium.restart('a');
    await dealKey(a, { run, epoch: 1 });
    await dealKey(a, { run, epoch: 1 });
    for (const sent of board.all('dealing')) expect(sent).toEqual(signed.envelope);
    expect(a.store.read(`epochs/${run}/1/secret`)).toEqual(secret);
  });

  it('is made of a fresh key when nothing had been signed, so that no mask serves twice', async () => {
    const consortium = consortiumOf();
    consortium.openEpoch();
    const { run } = consortium;
    const cut = consortium.member('a');
    const { statements } = cut.journal;
    const sign = statements.sign.bind(statements);
    statements.sign = () => {
      throw new Error('the power is cut');
    };
    await expect(dealKey(cut, { run, epoch: 1 })).rejects.toThrow('the power is cut');
    statements.sign = sign;
    const secret = cut.store.read(`epochs/${run}/1/secret`);
    expect(secret).toBeDefined();
    const a = consortium.restart('a');
    await consortium.ceremony();
    expect(a.store.read(`epochs/${run}/1/secret`)).not.toEqual(secret);
    expect(consortium.board.all('dealing')).toHaveLength(4);
  });
});
