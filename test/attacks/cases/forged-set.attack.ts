/*
 * Cases 16 and 19. The coordinator, with corrupt sites that sign whatever it likes, chooses what a sum is over: a set with a site that is not in the epoch or
 * not on the list, too few sites, one twice, an upload of another attempt, or a training upload called a confirmation, which may be opened alone. What opens
 * is one update, or a difference that is one.
 */
import { freezeContext, type Predicate, peekStatement, roundContext, setDigest, signStatement } from '@coferment/consortium';
import { type DsseEnvelope, generateIdentity, loadCrypto } from '@coferment/crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { FrozenSum, SumName } from '../../../client-agent/src/connection/instruction.parser.js';
import { encrypt, prepareSum } from '../../../client-agent/src/rounds/contribution.handlers.js';
import { CONSORTIUM } from '../../../client-agent/src/rounds/members.fixture.js';
import { attest, releaseShare } from '../../../client-agent/src/rounds/opening.handlers.js';
import { attack, AttackedConsortium, closeAll, refusedWith, resign } from './attacked.consortium.fixture.js';

let consortium: AttackedConsortium;
let frozen: FrozenSum;
let earlier: FrozenSum;
let name: SumName;

beforeAll(async () => {
  await loadCrypto();
  consortium = await AttackedConsortium.inTraining();
  earlier = await consortium.contribute(consortium.update());
  name = consortium.update(consortium.firstUpdate, 1, 2);
  frozen = await consortium.contribute(name);
  consortium.checkpoint();
});
beforeEach(() => consortium.rewind());
afterAll(closeAll);

/** Site and key holder are asked for it, the holder with ρ signatures over whatever T comes of it. */
async function bothRefuse(forged: FrozenSum, code: string): Promise<void> {
  const victim = consortium.member('a');
  expect(await attack(consortium.board, victim, () => attest(victim, { sums: [forged] }))).toEqual(refusedWith(code));
  const certificate = ['b', 'c', 'd'].map((site) => attestationOf(site, forged));
  expect(await attack(consortium.board, victim, () => releaseShare(victim, { frozen: forged, certificate }))).toEqual(refusedWith(code));
}

function attestationOf(site: string, { name: asked, nonces, contributions }: FrozenSum): DsseEnvelope {
  const named = contributions.flatMap((envelope) => {
    const { predicate } = peekStatement(envelope) as { predicate: Partial<Predicate<'contribution'>> };
    return predicate.merkleRoot === undefined ? [] : [{ site: predicate.site!, merkleRoot: predicate.merkleRoot }];
  });
  const k = roundContext({ e: consortium.e, i: 'a'.repeat(64), sum: asked.sum, attempt: asked.attempt, nonces });
  const { modelIn } = consortium.contextOf(frozen);
  const sums = [{ sum: asked.sum, k, t: freezeContext(k, named), set: setDigest(named.map((entry) => entry.site)), modelIn }];
  const { run, epoch, kind } = asked;
  return signStatement(
    'attestation',
    { consortium: CONSORTIUM, run, epoch, e: consortium.e, kind, site, sums },
    consortium.member(site).identity,
  );
}

const change = (site: string, changed: Partial<Predicate<'contribution'>>): DsseEnvelope =>
  resign(frozen.contributions[consortium.sites.indexOf(site)]!, 'contribution', changed, consortium.member(site).identity);

describe('a set of uploads', () => {
  it('is attested when it is what it should be', async () => {
    const a = consortium.member('a');
    expect(await attack(consortium.board, a, () => attest(a, { sums: [frozen] }))).toMatchObject({
      code: 'no refusal',
      sent: ['attestation'],
    });
  });

  it('with an upload of another attempt is refused', () =>
    bothRefuse({ ...frozen, contributions: frozen.contributions.with(3, earlier.contributions[3]!) }, 'other-attempt'));

  it('with an upload of another attempt signed anew for this one is refused: its K is another', () =>
    bothRefuse(
      {
        ...frozen,
        contributions: frozen.contributions.with(
          3,
          resign(earlier.contributions[3]!, 'contribution', { attempt: 2 }, consortium.member('d').identity),
        ),
      },
      'other-k',
    ));

  it('in another order is refused', () => bothRefuse({ ...frozen, contributions: frozen.contributions.toReversed() }, 'set-unordered'));

  it('that counts a site twice is refused', () =>
    bothRefuse({ ...frozen, contributions: [...frozen.contributions, frozen.contributions[3]!] }, 'set-unordered'));

  it('that counts a site twice, by two different uploads, is refused', () =>
    bothRefuse({ ...frozen, contributions: [...frozen.contributions, change('d', { object: '1'.repeat(64) })] }, 'set-unordered'));

  it('with a site that is not on the list is refused: a shorter list is another K', () =>
    bothRefuse({ ...frozen, nonces: frozen.nonces.slice(0, 3) }, 'other-k'));

  it('with a site that is in no roster is refused, with its nonce and without', async () => {
    const { predicate } = peekStatement(frozen.contributions[3]!) as { predicate: Predicate<'contribution'> };
    const stranger = signStatement('contribution', { ...predicate, site: 'zz' }, generateIdentity());
    const contributions = [...frozen.contributions, stranger];
    await bothRefuse({ ...frozen, contributions }, 'counted-unlisted');
    await bothRefuse({ ...frozen, contributions, nonces: [...frozen.nonces, { site: 'zz', nonce: '1'.repeat(64) }] }, 'not-in-epoch');
  });

  it('of fewer sites than the plan allows is refused', () =>
    bothRefuse({ ...frozen, contributions: frozen.contributions.slice(0, 2) }, 'set-too-small'));

  it('on a list of fewer sites than the plan allows is refused', () =>
    bothRefuse({ ...frozen, nonces: frozen.nonces.slice(0, 2), contributions: frozen.contributions.slice(0, 2) }, 'list-too-short'));

  it('with an upload signed by another site is refused', () => {
    const { predicate } = peekStatement(frozen.contributions[1]!) as { predicate: Predicate<'contribution'> };
    const forged = signStatement('contribution', { ...predicate, object: '1'.repeat(64) }, consortium.member('d').identity);
    return bothRefuse({ ...frozen, contributions: frozen.contributions.with(1, forged) }, 'wrong-key');
  });

  it('with an upload whose signature is not good is refused', () => {
    const [{ keyid, sig }] = frozen.contributions[1]!.signatures;
    const bytes = Buffer.from(sig, 'base64');
    bytes[9]! ^= 1;
    const broken: DsseEnvelope = { ...frozen.contributions[1]!, signatures: [{ keyid, sig: bytes.toString('base64') }] };
    return bothRefuse({ ...frozen, contributions: frozen.contributions.with(1, broken) }, 'bad-signature');
  });

  it('with another act in the place of an upload is refused', () =>
    bothRefuse({ ...frozen, contributions: frozen.contributions.with(1, consortium.board.latest('nonce')[1]!) }, 'wrong-act'));

  it.each<[string, Partial<Predicate<'contribution'>>, string]>([
    ['blocks', { blocks: 2 }, 'upload-format'],
    ['dropped bits', { droppedBits: 1 }, 'upload-format'],
    ['ranges', { ranges: '3'.repeat(64) }, 'upload-format'],
    ['sums', { sum: 99 }, 'other-position'],
    ['epochs', { e: '4'.repeat(64) }, 'other-position'],
    ['runs', { run: 'r9-0123456789abcdef' }, 'other-position'],
    ['consortia', { consortium: 'other' }, 'other-position'],
    ['kinds', { kind: 'evaluate' }, 'other-position'],
    ['K', { k: '5'.repeat(64) }, 'other-k'],
  ])('with an upload of other %s is refused', (_what, changed, code) =>
    bothRefuse({ ...frozen, contributions: frozen.contributions.with(3, change('d', changed)) }, code),
  );
});

describe('a training upload', () => {
  it.each([
    ['the number it has', () => consortium.firstUpdate],
    ['the number of the confirmation of "b"', () => 2],
  ])('cannot be opened alone as a confirmation under %s', async (_what, sum) => {
    const relabelled = { ...name, kind: 'confirm' as const, round: 0, sum: sum() };
    const alone = {
      name: relabelled,
      nonces: frozen.nonces.filter(({ site }) => site === 'b'),
      contributions: [change('b', { kind: 'confirm', sum: sum() })],
      newSet: [],
    };
    const victim = consortium.member('a');
    const asked = consortium.sites.map(() => alone);
    const certificate = ['b', 'c', 'd'].map((site) => attestationOf(site, alone));
    const late = sum() === 2;
    for (const work of [
      () => attest(victim, { sums: asked }),
      () => attest(victim, { sums: [alone] }),
      () => releaseShare(victim, { frozen: alone, certificate }),
    ]) {
      // Under a number that is past, nothing is done; under one that is not a confirmation's, it is refused.
      const seen = await attack(consortium.board, victim, work);
      expect(seen).toEqual(late ? { code: 'no refusal', changed: [], sent: [] } : refusedWith('wrong-kind'));
    }
  });

  it('is not encrypted for a confirmation: the vector of that kind is the public one', async () => {
    const fresh = await AttackedConsortium.beforeConfirming();
    const a = fresh.member('a');
    const confirm = fresh.name('confirm', 1);
    for (const site of ['b', 'c'])
      expect(await attack(fresh.board, fresh.member(site), () => prepareSum(fresh.member(site), { name: confirm }))).toEqual(
        refusedWith('wrong-site'),
      );
    await prepareSum(a, { name: confirm });
    const [own] = fresh.noncesOf(confirm);
    const two = [own!, { site: 'b', nonce: '1'.repeat(64) }];
    expect(await attack(fresh.board, a, () => encrypt(a, { name: confirm, nonces: two }))).toMatchObject({ code: 'confirm-list' });
    // Its training vector of a model is another row than anything confirm looks at, and nothing was trained.
    expect(a.trainer.trained).toBe(0);
  });

  it('cannot be confirmed apart from the others, nor twice, nor among sums of other kinds', async () => {
    const fresh = await AttackedConsortium.beforeConfirming();
    const confirms: FrozenSum[] = [];
    for (const [index, site] of fresh.sites.entries()) confirms.push(await fresh.contribute(fresh.name('confirm', index + 1), [site]));
    const a = fresh.member('a');
    const [first, second, third] = confirms as [FrozenSum, FrozenSum, FrozenSum];
    for (const sums of [[first], [first, second], [first, third, second], [first, first, first], [third, second, first], confirms.slice(1)])
      expect(await attack(fresh.board, a, () => attest(a, { sums }))).toEqual(refusedWith('attested-apart'));
    const swapped = [{ ...first, contributions: second.contributions }, second, third];
    expect(await attack(fresh.board, a, () => attest(a, { sums: swapped }))).toEqual(refusedWith('counted-unlisted'));
    const none = [{ ...first, contributions: [] }, second, third];
    expect(await attack(fresh.board, a, () => attest(a, { sums: none }))).toEqual(refusedWith('confirm-set'));
    expect(await attack(fresh.board, a, () => attest(a, { sums: confirms }))).toMatchObject({ sent: ['attestation'] });
  });
});

describe('I, K and T', () => {
  it('have no place on the wire: what an instruction brings beyond its parts is dropped before any handler sees it', async () => {
    const { parseInstruction } = await import('../../../client-agent/src/connection/instruction.parser.js');
    const { Instruction } = await import('@coferment/proto');
    const forged = { i: '1'.repeat(64), k: '2'.repeat(64), t: '3'.repeat(64), modelIn: '4'.repeat(64), e: '5'.repeat(64) };
    const wire = Instruction.fromPartial({
      kind: { $case: 'encrypt', encrypt: { name: { ...name, ...forged }, nonces: frozen.nonces, ...forged } },
    } as never);
    const parsed = parseInstruction(wire);
    expect(JSON.stringify(parsed)).not.toMatch(/1{64}|2{64}|3{64}|4{64}|5{64}/);
    expect(parsed).toMatchObject({ kind: 'encrypt', body: { name, nonces: frozen.nonces } });
  });
});
