import { join } from 'node:path';
import { planDigest, signStatement, sumInput } from '@coferment/consortium';
import { type DsseEnvelope, loadCrypto } from '@coferment/crypto';
import { DatabaseSync } from 'node:sqlite';
import { beforeAll, describe, expect, it } from 'vitest';
import type { FrozenSum } from '../connection/instruction.parser.js';
import { offerSealingKey } from './approval.handlers.js';
import { dealKey } from './ceremony.handlers.js';
import type { ScriptedConsortium } from './consortium.fixture.js';
import { prepareSum } from './contribution.handlers.js';
import type { Member } from './members.fixture.js';
import { codeOf, inTraining, openConsortium } from './opened.consortia.fixture.js';
import { releaseShare } from './opening.handlers.js';
import { applySum, closeRun } from './publication.handlers.js';
import { forgetEndedRuns, leaveRun } from './run.departure.js';

const SITES = ['a', 'b', 'c'];

function closing(consortium: ScriptedConsortium): DsseEnvelope {
  const { run, operator } = consortium;
  return signStatement(
    'run-closed',
    { consortium: 'acme', run, status: 'completed', rounds: 1, model: 'none', contributions: [] },
    operator,
  );
}

/** What a database restored from an older backup lacks. */
function forget(member: Member, name: string): void {
  const raw = new DatabaseSync(join(member.folder, 'journal.sqlite'));
  raw.prepare('DELETE FROM statements WHERE name = ?').run(name);
  raw.close();
}

function corrupted(envelope: DsseEnvelope): DsseEnvelope {
  const [signature] = envelope.signatures;
  const bytes = Buffer.from(signature.sig, 'base64');
  bytes[0]! ^= 1;
  return { ...envelope, signatures: [{ ...signature, sig: bytes.toString('base64') }] };
}

beforeAll(loadCrypto);

describe('a closed run', () => {
  it('gets no signature any more, and the last sums are still followed', async () => {
    const consortium = await inTraining(SITES, 1);
    const a = consortium.member('a');
    const frozen = await consortium.contribute(consortium.name('update', 5, 1));
    const instruction = await consortium.open(frozen, await consortium.certify([frozen]));
    await closeRun(a, { run: consortium.run, closing: closing(consortium) });
    const { plan, ordinal } = a.journal.runs.get(consortium.run)!;
    const before = consortium.board.acts.length;
    expect(await codeOf(offerSealingKey(a, { run: consortium.run, ordinal, plan, epoch: 1 }))).toBe('run-closed');
    expect(await codeOf(dealKey(a, { run: consortium.run, epoch: 1 }))).toBe('run-closed');
    expect(await codeOf(prepareSum(a, { name: consortium.name('evaluate', 6, 1) }))).toBe('run-closed');
    expect(consortium.board.acts).toHaveLength(before);
    await applySum(a, instruction);
    expect(a.journal.models.progress(consortium.run).state?.round).toBe(1);
    expect(a.journal.runs.get(consortium.run)?.state).toBe('closed');
  });
});

describe('the end of a run', () => {
  it('erases its vectors, and is carried through at the next start when it was cut off', async () => {
    const consortium = await inTraining(SITES, 1);
    const { run } = consortium;
    const frozen = await consortium.contribute(consortium.name('update', 5, 1));
    const { modelIn } = consortium.contextOf(frozen);
    const a = consortium.member('a');
    const { plan } = a.journal.runs.get(run)!;
    const [object] = a.journal.statements.objects(run);
    expect(a.journal.rounds.vector(plan, 'update', modelIn)).toBeDefined();
    await closeRun(a, { run, closing: closing(consortium) });
    expect(a.journal.rounds.vector(plan, 'update', modelIn)).toBeUndefined();
    const b = consortium.restart('b');
    b.journal.runs.setState(run, 'dead', 'the power was cut here');
    expect(b.store.read(`epochs/${run}/1/secret`)).toBeDefined();
    forgetEndedRuns(b);
    expect(b.store.read(`epochs/${run}/1/secret`)).toBeUndefined();
    expect(b.journal.rounds.vector(plan, 'update', modelIn)).toBeUndefined();
    expect(a.objects.read(object!)).toBeUndefined();
  });
});

describe('the evaluation', () => {
  it('is of the last model only, and no update follows it', async () => {
    const consortium = await inTraining(SITES, 2);
    const a = consortium.member('a');
    await consortium.wholeSum(consortium.name('update', 5, 1));
    expect(await prepareSum(a, { name: consortium.name('evaluate', 6, 2) })).toEqual({ outcome: 'later' });
    expect(await codeOf(prepareSum(a, { name: consortium.name('evaluate', 6, 1) }))).toBe('wrong-round');
    await consortium.wholeSum(consortium.name('update', 6, 2));
    await consortium.wholeSum(consortium.name('evaluate', 7, 2));
    for (const round of [1, 2, 3]) {
      expect(await codeOf(prepareSum(a, { name: consortium.name('update', 8, round) }))).toBe('wrong-round');
    }
  });
});

describe('confirm sums', () => {
  it('are applied one by one: none is passed over unverified', async () => {
    const consortium = openConsortium();
    consortium.openEpoch();
    await consortium.ceremony();
    const confirms: FrozenSum[] = [];
    for (const [index, { site }] of consortium.members.entries())
      confirms.push(await consortium.contribute(consortium.name('confirm', index + 1), [site]));
    const certificate = await consortium.certify(confirms);
    const a = consortium.member('a');
    const instructions = [];
    for (const frozen of confirms) instructions.push(await consortium.open(frozen, certificate));
    expect(await applySum(a, instructions[2]!)).toEqual({ outcome: 'later' });
    expect(a.journal.models.progress(consortium.run).appliedSum).toBe(0);
    for (const instruction of instructions) await applySum(a, instruction);
    expect(a.journal.models.progress(consortium.run).appliedSum).toBe(3);
  });
});

describe('a journal restored from a backup', () => {
  it('releases nothing under a certificate with a signature of its own that it does not know, and survives a forged one', async () => {
    const consortium = await inTraining(SITES, 1);
    const frozen = await consortium.contribute(consortium.name('update', 5, 1));
    const certificate = await consortium.certify([frozen]);
    const a = consortium.member('a');
    forget(a, 'attestation');
    expect(await codeOf(releaseShare(a, { frozen, certificate: certificate.map(corrupted) }))).not.toBe('epoch-dead');
    expect(a.journal.runs.get(consortium.run)?.state).toBe('approved');
    expect(await codeOf(releaseShare(a, { frozen, certificate }))).toBe('epoch-dead');
    expect(a.journal.ownActs.whyDead(consortium.run, 1)).toMatch(/backup/);
    expect(a.store.read(`epochs/${consortium.run}/1/secret`)).toBeUndefined();
  });

  it.each(['attestation', 'share'])('applies nothing over a forgotten %s of its own, and survives a forged one', async (name) => {
    const consortium = await inTraining(SITES, 1);
    const frozen = await consortium.contribute(consortium.name('update', 5, 1));
    const instruction = await consortium.open(frozen, await consortium.certify([frozen]));
    const a = consortium.member('a');
    forget(a, name);
    const part = name === 'share' ? 'shares' : 'certificate';
    expect(await codeOf(applySum(a, { ...instruction, [part]: instruction[part].map(corrupted) }))).not.toBe('epoch-dead');
    expect(a.journal.runs.get(consortium.run)?.state).toBe('approved');
    expect(await codeOf(applySum(a, instruction))).toBe('epoch-dead');
    expect(a.journal.ownActs.whyDead(consortium.run, 1)).toMatch(/backup/);
  });
});

describe('a run that ends while a site trains', () => {
  it('gets no nonce, and the vector is not kept', async () => {
    const consortium = await inTraining(SITES, 1);
    const { run, plan } = consortium;
    const a = consortium.member('a');
    const build = a.trainer.build.bind(a.trainer);
    a.trainer.build = async (job) => {
      const built = await build(job);
      leaveRun(a, run, 'it was ended');
      return built;
    };
    const before = consortium.board.acts.length;
    expect(await codeOf(prepareSum(a, { name: consortium.name('update', 5, 1) }))).toBe('epoch-dead');
    expect(consortium.board.acts).toHaveLength(before);
    const { modelIn } = sumInput(plan, 'update', consortium.state);
    expect(a.journal.rounds.vector(planDigest(plan), 'update', modelIn)).toBeUndefined();
  });
});
