/*
 * Beyond the list. A coordinator with ONE key holder of four (three needed). They wait for all shares, make the corrupt one such that the sum opens to what
 * they want (one step more in one value: a new model, over which the same updates are summed again without a victim), and name exactly τ shares: the corrupt
 * one and two honest ones. No relation among τ shares exists, so whoever opens those blocks again finds what was published. The holder that was not named
 * has a share of its own.
 */
import {
  applySum as applyUpdate,
  describeModel,
  modelDigest,
  peekStatement,
  type Predicate,
  signStatement,
  vectorShape,
} from '@coferment/consortium';
import {
  committeeConstants,
  decryptionShare,
  type DsseEnvelope,
  loadCrypto,
  merkleRoot,
  sha256Hex,
  shareBlockDigests,
  sumKeyShares,
  unpackSum,
} from '@coferment/crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { InstructionBody } from '../../../client-agent/src/connection/instruction.parser.js';
import { EpochSecrets } from '../../../client-agent/src/keys/epoch.secrets.js';
import { applySum } from '../../../client-agent/src/rounds/publication.handlers.js';
import { AttackerRing, bytesOf, modulo, slotsOf } from '../controls/ring.fixture.js';
import { attack, AttackedConsortium, closeAll, failureOf } from './attacked.consortium.fixture.js';

const LIAR = 'd';
let consortium: AttackedConsortium;
let honest: InstructionBody<'applySum'>;

beforeAll(async () => {
  await loadCrypto();
  consortium = await AttackedConsortium.inTraining();
  const frozen = await consortium.contribute(consortium.update());
  const before = consortium.state;
  honest = await consortium.open(frozen, await consortium.certify([frozen]));
  consortium.state = before;
  consortium.checkpoint();
});
beforeEach(() => consortium.rewind());
afterAll(closeAll);

const predicateOf = <N extends 'aggregate' | 'share'>(envelope: DsseEnvelope) => peekStatement(envelope).predicate as Predicate<N>;

/** One step more in the first coefficient, with a share of the liar that opens to it beside the shares of `named`. */
function aimed(named: readonly string[]): InstructionBody<'applySum'> {
  const { roster, board, plan, sites, operator } = consortium;
  const { parameters } = roster;
  const ring = AttackerRing.of(parameters);
  const committee = committeeConstants(parameters.keyHolders, parameters.threshold);
  const positions = named.map((site) => sites.indexOf(site));
  const decoding = committee.decodingSets.find(({ holders }) => holders.join() === positions.join())!;
  const holder = sites.indexOf(LIAR);
  const weight = decoding.weights[decoding.holders.indexOf(holder)]!;
  const lie = ring.toSlots(
    Array.from({ length: ring.degree }, (_, index) =>
      index === 0 ? modulo(ring.lifted(committee.L1 * decoding.scale) * ring.ratio(1n, weight), ring.q) : 0n,
    ),
  );
  const { k, t, set, modelIn } = consortium.contextOf(honest.frozen);
  const { store, identity } = consortium.member(LIAR);
  const secrets = new EpochSecrets(store, consortium.run, 1);
  const keyShare = slotsOf(sumKeyShares(sites.map((site) => secrets.keyShare(site))));
  const shift = ring.divide(lie, ring.scale(ring.publicElement(k), committee.L1));
  const old = predicateOf<'share'>(honest.shares[holder]!);
  const object = board.objects.get(predicateOf<'aggregate'>(honest.aggregate).sumObject)!;
  const coefficients = new BigUint64Array(object.slice().buffer);
  const share = decryptionShare({
    parameters,
    k,
    setDigest: set,
    kind: 'update',
    holder: LIAR,
    holderIndex: holder,
    keyShareSum: bytesOf(ring.add(keyShare, shift)),
    noiseKey: secrets.noiseKey(),
    coefficients: coefficients.length,
  });
  board.objects.set(sha256Hex(share), share);
  const lying = signStatement(
    'share',
    { ...old, object: sha256Hex(share), merkleRoot: merkleRoot(shareBlockDigests(share, coefficients.length, parameters)) },
    identity,
  );
  board.acts.push({ site: LIAR, envelope: lying });
  const shares = named.map((site) => (site === LIAR ? lying : honest.shares[sites.indexOf(site)]!));
  coefficients[0]! += 1n;
  const bytes = new Uint8Array(coefficients.buffer);
  board.objects.set(sha256Hex(bytes), bytes);
  const { packed, exact } = unpackSum(vectorShape(plan, 'update'), parameters, coefficients, sites.length);
  const after = applyUpdate(plan, consortium.state!, { packed, exact, addends: sites.length, valueBits: parameters.valueBits });
  const aggregate = signStatement(
    'aggregate',
    {
      ...predicateOf<'aggregate'>(honest.aggregate),
      k,
      t,
      modelIn,
      sumObject: sha256Hex(bytes),
      shares: shares.map((envelope) => ({ site: predicateOf<'share'>(envelope).site, share: peekStatement(envelope).digest })),
      modelOut: modelDigest(describeModel(plan), after.model),
    },
    operator,
  );
  return { ...honest, shares, aggregate };
}

describe('a sum that one key holder and the coordinator have chosen', () => {
  it('opens to what was published for everybody who has no further share', async () => {
    const published = aimed(['b', 'c', LIAR]);
    const b = consortium.member('b');
    expect(await attack(consortium.board, b, () => applySum(b, published))).toMatchObject({ code: 'no refusal', sent: [] });
    expect(b.journal.models.progress(consortium.run).appliedSum).toBe(consortium.firstUpdate);
  });

  it('is found by the honest holder that was left out of it: nothing is applied, and it leaves the run', async () => {
    const published = aimed(['b', 'c', LIAR]);
    const a = consortium.member('a');
    expect(await failureOf(applySum(a, published))).toMatchObject({ code: 'sum-unverified', message: expect.stringMatching(/own share/) });
    expect(a.journal.models.progress(consortium.run).appliedSum).toBe(consortium.firstUpdate - 1);
    expect(a.journal.runs.get(consortium.run)?.state).toBe('dead');
  });

  it('cannot be aimed past four named shares by one liar', async () => {
    const published = aimed(['b', 'c', LIAR]);
    const all = [honest.shares[0]!, ...published.shares];
    const named = all.map((envelope) => ({ site: predicateOf<'share'>(envelope).site, share: peekStatement(envelope).digest }));
    const aggregate = signStatement('aggregate', { ...predicateOf<'aggregate'>(published.aggregate), shares: named }, consortium.operator);
    for (const site of ['a', 'b', 'c']) {
      const member = consortium.member(site);
      expect(await failureOf(applySum(member, { ...published, shares: all, aggregate }))).toMatchObject({ code: 'sum-unverified' });
    }
  });
});

describe('an honest sum', () => {
  it.each([
    ['exactly τ', ['b', 'c', 'd']],
    ['all', ['a', 'b', 'c', 'd']],
  ])('that names %s shares is applied by named and unnamed holders', async (_what, named) => {
    const { sites, operator } = consortium;
    const shares = named.map((site) => honest.shares[sites.indexOf(site)]!);
    const listed = shares.map((envelope) => ({ site: predicateOf<'share'>(envelope).site, share: peekStatement(envelope).digest }));
    const aggregate = signStatement('aggregate', { ...predicateOf<'aggregate'>(honest.aggregate), shares: listed }, operator);
    for (const member of consortium.members) {
      expect(await failureOf(applySum(member, { ...honest, shares, aggregate }))).toMatchObject({ code: 'no refusal' });
      expect(member.journal.models.progress(consortium.run).appliedSum).toBe(consortium.firstUpdate);
    }
  });
});
