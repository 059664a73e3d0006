import { describeModel, modelDigest, peekStatement, planDigest, signStatement } from '@coferment/consortium';
import { loadCrypto } from '@coferment/crypto';
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { ScriptedConsortium } from './consortium.fixture.js';
import { encrypt, prepareSum } from './contribution.handlers.js';
import { codeOf, inTraining } from './opened.consortia.fixture.js';
import { attest, releaseShare } from './opening.handlers.js';
import { applySum, closeRun } from './publication.handlers.js';
import { leaveRun } from './run.departure.js';

const FIRST_ROUND = 5;
beforeAll(loadCrypto);

describe('a run, from the ceremony to the end', () => {
  it('gives every site the same model and erases its secrets', async () => {
    const consortium = await inTraining();
    await consortium.wholeSum(consortium.name('update', 5, 1));
    await consortium.wholeSum(consortium.name('update', 6, 2));
    await consortium.wholeSum(consortium.name('evaluate', 7, 2));
    const models = consortium.members.map(({ journal }) => journal.models.progress(consortium.run));
    expect(models.map((progress) => progress.appliedSum)).toEqual([7, 7, 7]);
    for (const { state } of models) expect(state!.model).toEqual(consortium.state!.model);
    const closing = signStatement(
      'run-closed',
      { consortium: 'acme', run: consortium.run, status: 'completed', rounds: 2, model: 'none', contributions: [] },
      consortium.operator,
    );
    const a = consortium.member('a');
    await closeRun(a, { run: consortium.run, closing });
    expect(a.store.read(`epochs/${consortium.run}/1/secret`)).toBeUndefined();
    expect(a.journal.runs.get(consortium.run)?.state).toBe('closed');
  });
});

describe('when the training sum is opened', () => {
  let consortium: ScriptedConsortium;
  beforeEach(async () => {
    consortium = await inTraining();
  });

  it('refuses a nonce list without its nonce, with another one under its id, or with its nonce under another id', async () => {
    const name = consortium.name('update', FIRST_ROUND, 1);
    for (const { site } of consortium.members) await prepareSum(consortium.member(site), { name });
    const nonces = consortium.noncesOf(name);
    const [a, b, c] = nonces as [(typeof nonces)[0], (typeof nonces)[0], (typeof nonces)[0]];
    const foreign = 'f'.repeat(64);
    expect(await codeOf(encrypt(consortium.member('a'), { name, nonces: [b, c] }))).toBe('own-nonce-absent');
    expect(await codeOf(encrypt(consortium.member('b'), { name, nonces: [a, { ...b, nonce: foreign }, c] }))).toBe('own-nonce-changed');
    expect(await codeOf(encrypt(consortium.member('c'), { name, nonces: [{ ...a, nonce: c.nonce }, b, c] }))).toBe('nonce-doubled');
    expect(consortium.board.all('attempt-declined')).toHaveLength(3);
    expect(consortium.frozen(name).contributions).toHaveLength(0);
    // The nonces are wiped: the right list comes too late.
    await encrypt(consortium.member('a'), { name, nonces });
    expect(consortium.frozen(name).contributions).toHaveLength(0);
  });

  it('owes itself the receipt from its attestation on, also when it leaves the run before the sum is opened', async () => {
    const frozen = await consortium.contribute(consortium.name('update', FIRST_ROUND, 1));
    const a = consortium.member('a');
    const owed = () => a.journal.receipts.owed().filter(({ sum }) => sum === FIRST_ROUND);
    expect(owed()).toEqual([]);
    await attest(a, { sums: [frozen] });
    leaveRun(a, consortium.run, 'a test');
    expect(owed()).toMatchObject([{ run: consortium.run, kind: 'update', round: 1, attempt: 1 }]);
    // Of confirmations of keys, which were attested too, none is.
    expect(a.journal.receipts.all().filter(({ kind }) => kind === 'confirm')).toEqual([]);
  });

  it('declines after a restart, because its nonce was only in memory', async () => {
    const name = consortium.name('update', FIRST_ROUND, 1);
    for (const { site } of consortium.members) await prepareSum(consortium.member(site), { name });
    await encrypt(consortium.restart('a'), { name, nonces: consortium.noncesOf(name) });
    const [declined] = consortium.board.all('attempt-declined');
    expect(peekStatement(declined!).predicate).toMatchObject({ site: 'a', reason: 'nonce-lost', attempt: 1 });
  });

  it('encrypts the byte-identical vector in a new attempt, under another K, without training again', async () => {
    const a = consortium.member('a');
    const trainedBefore = a.trainer.trained;
    await consortium.contribute(consortium.name('update', FIRST_ROUND, 1));
    const modelIn = consortium.contextOf(consortium.frozen(consortium.name('update', FIRST_ROUND, 1))).modelIn;
    const before = a.journal.rounds.vector(planDigest(consortium.plan), 'update', modelIn)!;
    const again = consortium.restart('a');
    const second = await consortium.contribute(consortium.name('update', FIRST_ROUND, 1, 2));
    const after = again.journal.rounds.vector(planDigest(consortium.plan), 'update', modelIn)!;
    expect(Buffer.from(after.coefficients.buffer).equals(Buffer.from(before.coefficients.buffer))).toBe(true);
    expect(a.trainer.trained + again.trainer.trained).toBe(trainedBefore + 1);
    expect(second.contributions).toHaveLength(3);
    const ks = consortium.board.all('contribution').flatMap((act) => {
      const { predicate } = peekStatement(act) as { predicate: { site: string; k: string } };
      return predicate.site === 'a' ? [predicate.k] : [];
    });
    expect(new Set(ks).size).toBe(ks.length);
  });

  it('never encrypts for a pair that does not grow', async () => {
    const name = consortium.name('update', FIRST_ROUND, 1, 2);
    await consortium.contribute(name);
    const a = consortium.member('a');
    await prepareSum(a, { name: consortium.name('update', FIRST_ROUND, 1, 1) });
    expect(peekStatement(consortium.board.all('attempt-declined')[0]!).predicate).toMatchObject({
      site: 'a',
      attempt: 1,
      reason: 'nonce-lost',
    });
  });

  it('encrypts no stored vector of another length, and its nonce stays unspent', async () => {
    const name = consortium.name('update', FIRST_ROUND, 1);
    const a = consortium.member('a');
    const { plan, state } = consortium;
    // A block filled up with zeros, as another packing might have stored it.
    const vector = {
      coefficients: new BigUint64Array(1024),
      samples: 10,
      batches: 2,
      dataReport: '7d'.repeat(32),
      salt: new Uint8Array(32),
      backend: 'wasm' as const,
      saturated: 0,
    };
    a.journal.rounds.keepVector(planDigest(plan), 'update', modelDigest(describeModel(plan), state!.model), vector);
    for (const { site } of consortium.members) await prepareSum(consortium.member(site), { name });
    const before = a.journal.rounds.lastEncrypted(name.run);
    expect(await codeOf(encrypt(a, { name, nonces: consortium.noncesOf(name) }))).toBe('vector-length');
    expect(a.journal.rounds.lastEncrypted(name.run)).toEqual(before);
    expect(a.nonces.peek(name.run, name.sum, name.attempt)).toBeDefined();
  });

  it('sends the same ciphertext again when the line was cut', async () => {
    const name = consortium.name('update', FIRST_ROUND, 1);
    for (const { site } of consortium.members) await prepareSum(consortium.member(site), { name });
    const nonces = consortium.noncesOf(name);
    consortium.board.failing = true;
    expect(await codeOf(encrypt(consortium.member('a'), { name, nonces }))).toBe('unreachable');
    consortium.board.failing = false;
    const stored = consortium.member('a').journal.statements.find(consortium.run, 'contribution', `${FIRST_ROUND}/1`);
    await encrypt(consortium.restart('a'), { name, nonces });
    expect(consortium.frozen(name).contributions).toEqual([stored!.envelope]);
  });

  it('signs one T for a sum and one set for a model, also after a restart', async () => {
    const larger = await inTraining(['a', 'b', 'c', 'd']);
    const frozen = await larger.contribute(larger.name('update', 6, 1));
    const without = larger.frozen(larger.name('update', 6, 1), ['a', 'b', 'c']);
    await attest(larger.member('a'), { sums: [frozen] });
    expect(await codeOf(attest(larger.restart('a'), { sums: [without] }))).toBe('sum-changed');
    // A later sum from the same model over another set is the differencing attack.
    const later = await larger.contribute(larger.name('update', 7, 1), ['a', 'b', 'c']);
    expect(await codeOf(attest(larger.member('a'), { sums: [later] }))).toBe('set-changed');
    const certificate = [...larger.board.latest('attestation')];
    expect(await codeOf(releaseShare(larger.member('a'), { frozen: without, certificate }))).toBe('other-freeze');
  });

  it('releases nothing without ρ attestations over exactly this T, and the same bytes when asked twice', async () => {
    const frozen = await consortium.contribute(consortium.name('update', FIRST_ROUND, 1));
    const certificate = await consortium.certify([frozen]);
    const a = consortium.member('a');
    expect(await codeOf(releaseShare(a, { frozen, certificate: certificate.slice(0, 2) }))).toBe('certificate-short');
    await releaseShare(a, { frozen, certificate });
    await releaseShare(consortium.restart('a'), { frozen, certificate });
    const shares = consortium.board
      .all('share')
      .filter((act) => (peekStatement(act) as { predicate: { sum: number } }).predicate.sum === FIRST_ROUND);
    expect(shares).toHaveLength(2);
    expect(shares[0]).toEqual(shares[1]);
  });

  it('leaves the run when the published model is not its own', async () => {
    const frozen = await consortium.contribute(consortium.name('update', FIRST_ROUND, 1));
    const certificate = await consortium.certify([frozen]);
    const instruction = await consortium.open(frozen, certificate);
    const published = peekStatement(instruction.aggregate);
    if (published.name !== 'aggregate') throw new Error('no aggregate');
    const aggregate = signStatement('aggregate', { ...published.predicate, modelOut: 'e'.repeat(64) }, consortium.operator);
    const a = consortium.member('a');
    expect(await codeOf(applySum(a, { ...instruction, aggregate }))).toBe('model-mismatch');
    expect(a.journal.runs.get(consortium.run)?.state).toBe('dead');
    expect(await codeOf(applySum(a, instruction))).toBe('epoch-dead');
  });

  it('takes no part in a run whose uploads it does not remember', async () => {
    const frozen = await consortium.contribute(consortium.name('update', FIRST_ROUND, 1));
    const [own] = frozen.contributions;
    const predicate = (peekStatement(own!) as { predicate: object }).predicate;
    const a = consortium.member('a');
    const forgotten = signStatement('contribution', { ...predicate, merkleRoot: 'd'.repeat(64) } as never, a.identity);
    expect(await codeOf(attest(a, { sums: [{ ...frozen, contributions: [forgotten, ...frozen.contributions.slice(1)] }] }))).toBe(
      'epoch-dead',
    );
  });
});
