import {
  checkCertificate,
  checkFreeze,
  checkNonceList,
  checkShareStatement,
  freezeContext,
  holderPoint,
  type InputParts,
  inputContext,
  NO_NORMALISATION,
  NO_RANGES,
  parsePlan,
  resolveQuorum,
  type Roster,
  roundContext,
  setDigest,
  signStatement,
  type SumKind,
  type SumPosition,
} from '@coferment/consortium';
import { bytesToHex, digest, generateIdentity, type Identity, loadCrypto } from '@coferment/crypto';
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { HonestEpoch } from '../controls/epoch.fixture.js';
import { byChance, correlation } from '../controls/measure.fixture.js';

/*
 * Contexts that are not what they say.
 * Who: the coordinator. What it holds: every signed nonce, upload, attestation and share of a training round, and it may send any I, K or T.
 * What it wants: one site's update, by calling its training upload a `confirm` sum, which may be over one site alone; or one part of a context changed
 * unnoticed.
 * What it meets: members compute I, K and T from their parts. Every part is in the digest; a signature names kind, sum, K and T; and a holder's noise
 * depends on kind, K and set, so that what it released for one is of no use for another.
 */

const SITES = ['a', 'b', 'c', 'd', 'e'];
const identities = new Map<string, Identity>();
let roster: Roster;
let epoch: HonestEpoch;

const input: InputParts = {
  plan: digest('plan'),
  kind: 'update',
  modelIn: digest('model'),
  ranges: digest('ranges'),
  normalisation: digest('normalisation'),
  weightRule: '{"by":"samples","cap":64}',
};
const E = digest('e');
const NONCES = SITES.map((site) => ({ site, nonce: digest('nonce', site) }));
const round = { e: E, i: inputContext(input), sum: 7, attempt: 1, nonces: NONCES };
const K = roundContext(round);
const COUNTED = SITES.map((site) => ({ site, merkleRoot: digest('root', site) }));
const POSITION: SumPosition = { consortium: 'acme', run: 'r1-0123456789abcdef', epoch: 1, e: E, kind: 'update', sum: 7, attempt: 1 };

beforeAll(async () => {
  await loadCrypto();
  for (const site of SITES) identities.set(site, generateIdentity());
  epoch = new HonestEpoch({ sites: 5, keyHolders: 5, threshold: 4 });
  const plan = parsePlan({
    schema: 1,
    plan: 'contexts',
    sample: { of: ['temperature'] },
    target: { variable: 'product_concentration' },
    model: { kind: 'linear' },
  });
  roster = {
    sites: SITES.map((site) => ({ site, identityKey: bytesToHex(identities.get(site)!.publicKey) })),
    keyHolders: SITES.map((site, position) => ({ site, point: holderPoint(position) })),
    numbers: resolveQuorum(plan, 5),
    parameters: epoch.parameters,
    leftOut: [],
    sealingKeys: [],
  };
});

const code = (name: string): Error => expect.objectContaining({ code: name }) as Error;

const contribution = (site: string, change: object = {}) =>
  signStatement(
    'contribution',
    {
      consortium: 'acme',
      run: POSITION.run,
      e: E,
      kind: 'update',
      sum: 7,
      attempt: 1,
      k: K,
      site,
      blocks: 1,
      droppedBits: 100,
      object: digest('object', site),
      merkleRoot: digest('root', site),
      ranges: input.ranges,
      sampleCommitment: digest('samples', site),
      batchCommitment: digest('batches', site),
      dataReportCommitment: digest('data-report', site),
      backend: 'wasm',
      ...change,
    },
    identities.get(site)!,
  );

const freeze = (change: Partial<Parameters<typeof checkFreeze>[0]> = {}) =>
  checkFreeze({
    roster,
    position: POSITION,
    k: K,
    nonces: NONCES,
    minContributors: 4,
    contributions: SITES.map((site) => contribution(site)),
    ...change,
  });

describe('one part changed', () => {
  const otherDigest = fc.uint8Array({ minLength: 32, maxLength: 32 }).map(bytesToHex);
  const otherKind = fc.constantFrom<SumKind>('confirm', 'statistics', 'evaluate');

  it('of I gives another I, and so another K', () => {
    const change = fc.oneof(
      otherDigest.map((plan) => ({ plan })),
      otherKind.map((kind) => ({ kind })),
      otherDigest.map((modelIn) => ({ modelIn })),
      fc.constantFrom({ modelIn: 'none' }, { ranges: NO_RANGES }, { normalisation: NO_NORMALISATION }),
      otherDigest.map((ranges) => ({ ranges })),
      otherDigest.map((normalisation) => ({ normalisation })),
      fc.string().map((weightRule) => ({ weightRule })),
    );
    fc.assert(
      fc.property(change, (changed) => {
        const i = inputContext({ ...input, ...changed });
        return i !== round.i && roundContext({ ...round, i }) !== K;
      }),
    );
    // Swapped parts of equal form are other parts.
    expect(inputContext({ ...input, ranges: input.normalisation, normalisation: input.ranges })).not.toBe(round.i);
  });

  it('of K gives another K', () => {
    const entry = fc.record({ at: fc.nat(4), nonce: otherDigest, site: fc.constantFrom('f', 'aa', 'z') });
    const change = fc.oneof(
      otherDigest.map((e) => ({ e })),
      fc.integer({ min: 8, max: 1000 }).map((sum) => ({ sum })),
      fc.integer({ min: 2, max: 1000 }).map((attempt) => ({ attempt })),
      // 7 and 1 could also be read from one number of two digits.
      fc.constant({ sum: 71, attempt: 1 }),
      fc.constant({ sum: 1, attempt: 7 }),
      entry.map(({ at, nonce }) => ({ nonces: NONCES.with(at, { site: SITES[at]!, nonce }) })),
      entry.map(({ at, site }) => ({ nonces: NONCES.with(at, { site, nonce: NONCES[at]!.nonce }) })),
      fc.nat(4).map((at) => ({ nonces: NONCES.toSpliced(at, 1) })),
      fc.constant({ nonces: NONCES.toReversed() }),
    );
    fc.assert(fc.property(change, (changed) => roundContext({ ...round, ...changed }) !== K));
  });

  it('of T gives another T', () => {
    const t = freezeContext(K, COUNTED);
    fc.assert(
      fc.property(fc.nat(4), otherDigest, (at, merkleRoot) => {
        const changed = [
          freezeContext(merkleRoot, COUNTED),
          freezeContext(K, COUNTED.with(at, { site: SITES[at]!, merkleRoot })),
          freezeContext(K, COUNTED.with(at, { site: 'f', merkleRoot: COUNTED[at]!.merkleRoot })),
          freezeContext(K, COUNTED.toSpliced(at, 1)),
          freezeContext(K, COUNTED.toReversed()),
          freezeContext(K, [...COUNTED, { site: 'f', merkleRoot }]),
        ];
        return new Set([t, ...changed]).size === changed.length + 1;
      }),
    );
  });

  it('and sent as it is: the upload signatures are over another K, the list is out of form, or the own nonce is not there', () => {
    expect(freeze().t).toBe(freezeContext(K, COUNTED));
    expect(() => freeze({ k: digest('a K from the coordinator') })).toThrow(code('other-k'));
    expect(() => checkNonceList(roster, NONCES.toReversed())).toThrow(code('list-unordered'));
    expect(() => checkNonceList(roster, [...NONCES, { site: 'f', nonce: digest('f') }])).toThrow(code('not-in-epoch'));
    expect(() => checkNonceList(roster, NONCES.with(1, { site: 'b', nonce: NONCES[0]!.nonce }))).toThrow(code('nonce-doubled'));
    const own = { site: 'c', nonce: NONCES[2]!.nonce };
    expect(() => checkNonceList(roster, NONCES, own)).not.toThrow();
    expect(() => checkNonceList(roster, NONCES.toSpliced(2, 1), own)).toThrow(code('own-nonce-absent'));
    expect(() => checkNonceList(roster, NONCES.with(2, { site: 'c', nonce: digest('stale') }), own)).toThrow(code('own-nonce-changed'));
  });
});

describe('a training round called `confirm`', () => {
  const alone = { nonces: NONCES, contributions: [] as ReturnType<typeof contribution>[] };
  const confirm: SumPosition = { ...POSITION, kind: 'confirm' };

  it('is refused with the upload as it was signed, at the freeze', () => {
    const contributions = [contribution('c')];
    expect(() => freeze({ ...alone, position: confirm, contributions })).toThrow(code('other-position'));
    // Alone, under its own kind, the set is too small.
    expect(() => freeze({ ...alone, contributions })).toThrow(code('set-too-small'));
    // An upload that the site did sign as confirm is under another K; and confirm is over one site, never two.
    const relabelled = contribution('c', { kind: 'confirm' });
    const k = roundContext({ ...round, i: inputContext({ ...input, kind: 'confirm' }) });
    expect(() => freeze({ ...alone, position: confirm, k, contributions: [relabelled] })).toThrow(code('other-k'));
    const two = ['c', 'd'].map((site) => contribution(site, { kind: 'confirm' }));
    expect(() => freeze({ ...alone, position: confirm, contributions: two })).toThrow(code('confirm-set'));
  });

  it('is refused with the attestations and shares of the training round', () => {
    const t = freezeContext(K, COUNTED);
    const set = setDigest(SITES);
    const attestations = SITES.map((site) =>
      signStatement(
        'attestation',
        {
          consortium: 'acme',
          run: POSITION.run,
          epoch: 1,
          e: E,
          kind: 'update',
          site,
          sums: [{ sum: 7, k: K, t, set, modelIn: input.modelIn }],
        },
        identities.get(site)!,
      ),
    );
    const certificate = { roster, position: POSITION, k: K, t, set, modelIn: input.modelIn, attestations };
    expect(checkCertificate(certificate).length).toBe(5);
    expect(() => checkCertificate({ ...certificate, position: confirm })).toThrow(code('other-position'));
    expect(() => checkCertificate({ ...certificate, t: freezeContext(K, COUNTED.slice(2, 3)), set: setDigest(['c']) })).toThrow(
      code('other-freeze'),
    );
    const share = signStatement(
      'share',
      {
        consortium: 'acme',
        run: POSITION.run,
        e: E,
        kind: 'update',
        sum: 7,
        k: K,
        t,
        site: 'a',
        blocks: 1,
        object: digest('share'),
        merkleRoot: digest('share root'),
      },
      identities.get('a')!,
    );
    expect(checkShareStatement(roster, POSITION, K, t, share).predicate.site).toBe('a');
    expect(() => checkShareStatement(roster, confirm, K, t, share)).toThrow(code('other-position'));
    expect(() => checkShareStatement(roster, POSITION, K, digest('T'), share)).toThrow(code('other-freeze'));
  });

  it('opens nothing with what holders released for the training sum', () => {
    const [victim] = epoch.sites;
    const vector = BigUint64Array.from({ length: 500 }, (_, index) => BigInt((index * 7919) % 60_000));
    const upload = epoch.encrypt(victim!, K, vector);
    const request = { k: K, sites: epoch.sites, coefficients: vector.length };
    // Shares for A, and shares of τ − 1 colluding holders for the victim alone with those of an honest one for A.
    expect(epoch.open([upload], vector.length, epoch.releaseAll(epoch.holders, request))).toMatchObject({ ok: false });
    const colluding = epoch.releaseAll([0, 1, 2], { ...request, sites: [victim!], kind: 'confirm' });
    const mixed = new Map([...colluding, [3, epoch.release(3, request)]]);
    expect(epoch.open([upload], vector.length, mixed)).toEqual({ ok: false, reason: 'residual' });
    // Even read without its checks, nothing of the update is in it.
    const bytes = Array.from(mixed.get(3)!.subarray(0, 500));
    expect(Math.abs(correlation(bytes, Array.from(vector, Number)))).toBeLessThan(byChance(500));
  });
});
