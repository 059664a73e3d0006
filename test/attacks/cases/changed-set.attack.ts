/*
 * Cases 3 and 4. A coordinator that holds a certificate over A tries to have the same updates summed once more without one victim: another T for the same
 * sum, a new sum from the same model, another run of the plan, a model gone back to. The difference of the two sums is the victim's update.
 */
import { spawn } from 'node:child_process';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describeModel, modelDigest } from '@coferment/consortium';
import { bytesToHex, loadCrypto } from '@coferment/crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { FrozenSum } from '../../../client-agent/src/connection/instruction.parser.js';
import { encrypt, prepareSum } from '../../../client-agent/src/rounds/contribution.handlers.js';
import { removeMember } from '../../../client-agent/src/rounds/members.fixture.js';
import { attest, releaseShare } from '../../../client-agent/src/rounds/opening.handlers.js';
import { attack, AttackedConsortium, closeAll, fork, refusedWith, relive } from './attacked.consortium.fixture.js';

let consortium: AttackedConsortium;
let whole: FrozenSum;
let withoutD: FrozenSum;

beforeAll(async () => {
  await loadCrypto();
  consortium = await AttackedConsortium.inTraining();
  whole = await consortium.contribute(consortium.update());
  withoutD = consortium.frozen(consortium.update(), ['a', 'b', 'c']);
  consortium.checkpoint();
});
beforeEach(() => consortium.rewind());
afterAll(closeAll);

describe('after a site has signed A', () => {
  it('a full certificate over A without "d" moves no share out of it', async () => {
    const a = consortium.member('a');
    await attest(a, { sums: [whole] });
    // ρ = 3 of 4: the rest were shown the smaller set only, so the certificate is good; a's record is all that stands against it.
    for (const site of ['b', 'c', 'd']) await attest(consortium.member(site), { sums: [withoutD] });
    const certificate = consortium.attestationsOver(consortium.contextOf(withoutD).t);
    expect(certificate).toHaveLength(3);
    expect(await attack(consortium.board, a, () => releaseShare(a, { frozen: withoutD, certificate }))).toEqual(refusedWith('sum-changed'));
    // Who has not signed the other set opens this one: the certificate is real.
    const b = consortium.member('b');
    expect(await attack(consortium.board, b, () => releaseShare(b, { frozen: withoutD, certificate }))).toMatchObject({
      code: 'no refusal',
    });
  });

  it('nor after the process was killed between storing and sending its signature', async () => {
    const signed = await killedWhile(consortium, 'a', whole);
    expect(signed).toBe('attestation');
    const a = relive(consortium.member('a'));
    expect(consortium.acts('attestation').some(({ site, predicate }) => site === 'a' && predicate.kind === 'update')).toBe(false);
    expect(await attack(consortium.board, a, () => attest(a, { sums: [withoutD] }))).toEqual(refusedWith('sum-changed'));
    for (const site of ['b', 'c', 'd']) await attest(consortium.member(site), { sums: [withoutD] });
    const certificate = consortium.attestationsOver(consortium.contextOf(withoutD).t);
    expect(await attack(consortium.board, a, () => releaseShare(a, { frozen: withoutD, certificate }))).toEqual(refusedWith('sum-changed'));
    // What was stored is what is sent, as if nothing had happened.
    await attest(a, { sums: [whole] });
    expect(consortium.attestationsOver(consortium.contextOf(whole).t)).toHaveLength(1);
  });
});

describe('the same model over fewer sites', () => {
  beforeEach(async () => {
    for (const { site } of consortium.members) await attest(consortium.member(site), { sums: [whole] });
  });

  it('is refused as a new sum of the same round, by every site, after restarts too', async () => {
    const later = await consortium.contribute(consortium.update(consortium.firstUpdate + 1), ['a', 'b', 'c']);
    for (const site of consortium.sites) {
      const member = consortium.member(site);
      expect(await attack(consortium.board, member, () => attest(member, { sums: [later] }))).toEqual(refusedWith('set-changed'));
    }
    const again = consortium.restarted('b');
    expect(await attack(consortium.board, again, () => attest(again, { sums: [later] }))).toEqual(refusedWith('set-changed'));
    const certificate = ['a', 'b', 'c'].map((site) => consortium.corruptAttestation(site, later));
    const d = consortium.member('d');
    expect(await attack(consortium.board, d, () => releaseShare(d, { frozen: later, certificate }))).toEqual(refusedWith('set-changed'));
  });

  it('is refused as the evaluation of that model: both carry holdout sums', async () => {
    const a = fork(consortium.member('a'));
    const { modelIn } = consortium.contextOf(whole);
    const freeze = {
      consortium: 'acme',
      run: consortium.run,
      sum: 9,
      kind: 'evaluate' as const,
      modelIn,
      t: '1'.repeat(64),
      set: '2'.repeat(64),
    };
    expect(await attack(consortium.board, a, async () => a.journal.rounds.bindFreeze({ ...freeze, sites: ['a', 'b', 'c'] }))).toEqual(
      refusedWith('set-changed'),
    );
    removeMember(a);
  });

  it('is refused in another run of the plan, from the same model', async () => {
    await consortium.nextRun(2);
    const { state } = consortium;
    expect(state).not.toBeNull();
    // The second run starts from the same initial model only if a coordinator made it so: every site is put there.
    for (const { journal } of consortium.members) journal.models.advance(consortium.run, 0, { appliedSum: 5, state });
    const { modelIn } = consortium.contextOf(whole);
    expect(modelDigest(describeModel(consortium.plan), state!.model)).toBe(modelIn);
    const second = await consortium.contribute(consortium.update(), ['a', 'b', 'c']);
    expect(second.contributions).toHaveLength(3);
    for (const site of consortium.sites) {
      const member = consortium.member(site);
      expect(await attack(consortium.board, member, () => attest(member, { sums: [second] }))).toEqual(refusedWith('set-changed'));
    }
  });

  it('is refused after the model went on and came back', async () => {
    const instruction = await consortium.open(whole, consortium.attestationsOver(consortium.contextOf(whole).t));
    const before = consortium.member('a').journal.models.progress(consortium.run);
    const state = { ...before.state! };
    await consortium.publish(instruction);
    const back = consortium.update(consortium.firstUpdate + 2, 2);
    // Rolled back by hand, since no instruction can: a model that a site has left is never its incoming model again.
    const a = consortium.member('a');
    expect(await attack(consortium.board, a, () => prepareSum(a, { name: consortium.update(consortium.firstUpdate + 1, 1) }))).toEqual(
      refusedWith('wrong-round'),
    );
    const applied = consortium.firstUpdate;
    const rolledBack = { ...state, round: 1 };
    for (const { journal } of consortium.members)
      journal.models.advance(consortium.run, applied, { appliedSum: applied + 1, state: rolledBack });
    consortium.state = rolledBack;
    const again = await consortium.contribute(back, ['a', 'b', 'c']);
    expect(consortium.contextOf(again).modelIn).toBe(consortium.entryOf(whole).modelIn);
    expect(await attack(consortium.board, a, () => attest(a, { sums: [again] }))).toEqual(refusedWith('set-changed'));
  });
});

describe('a sum that was frozen', () => {
  it('gets no new attempt: neither a nonce nor a ciphertext', async () => {
    const a = consortium.member('a');
    const second = consortium.update(consortium.firstUpdate, 1, 2);
    await prepareSum(a, { name: second });
    await prepareSum(consortium.member('b'), { name: second });
    await prepareSum(consortium.member('c'), { name: second });
    await attest(a, { sums: [whole] });
    expect(await attack(consortium.board, a, () => prepareSum(a, { name: consortium.update(consortium.firstUpdate, 1, 3) }))).toEqual(
      refusedWith('sum-changed'),
    );
    const nonces = consortium.noncesOf(second);
    expect(await attack(consortium.board, a, () => encrypt(a, { name: second, nonces }))).toEqual(refusedWith('sum-changed'));
  });
});

/** Lets a process of its own sign for the site and kills it (SIGKILL) when its signature is stored and about to be sent. Returns what was about to leave. */
async function killedWhile(attacked: AttackedConsortium, site: string, frozen: FrozenSum): Promise<string> {
  const { folder, identity, operatorKey, journal } = attacked.member(site);
  journal.close();
  const board = join(folder, '..', `${folder.split('/').at(-1)}-board`);
  mkdirSync(board);
  for (const [digest, bytes] of attacked.board.objects) writeFileSync(join(board, digest), bytes);
  const request = { site, folder, board, seed: bytesToHex(identity.privateKey), operatorKey: bytesToHex(operatorKey), frozen };
  const here = import.meta.dirname;
  const child = spawn(
    process.execPath,
    [
      '--no-warnings',
      '--experimental-transform-types',
      '--conditions=coferment-source',
      '--import',
      join(here, 'source.loader.js'),
      join(here, 'signing.process.ts'),
    ],
    { stdio: ['pipe', 'pipe', 'inherit'] },
  );
  const gone = new Promise<NodeJS.Signals | null>((resolve) => child.once('exit', (_, signal) => resolve(signal)));
  const said = new Promise<string>((resolve) => {
    child.stdout.once('data', (bytes: Buffer) => {
      child.kill('SIGKILL');
      resolve(bytes.toString().trim());
    });
    child.once('exit', () => resolve('nothing'));
  });
  child.stdin.end(JSON.stringify(request));
  const leaving = await said;
  expect(await gone).toBe('SIGKILL');
  rmSync(board, { recursive: true, force: true });
  return leaving;
}
