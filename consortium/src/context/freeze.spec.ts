import { describe, expect, it } from 'vitest';
import { signStatement } from '../statements/index.js';
import { inputContext, NO_NORMALISATION, NO_RANGES, roundContext, setDigest } from './context.js';
import { type SumPosition, checkCertificate, checkFreeze, checkNonceList, checkShareStatement } from './freeze.js';
import { CONSORTIUM, RUN, digestOf, members } from './members.fixture.js';

const ids = ['alpha', 'beta', 'delta', 'epsilon', 'gamma'];
const { identities, roster } = members(ids);
const e = digestOf(0xee);
const position: SumPosition = { consortium: CONSORTIUM, run: RUN, epoch: 1, e, kind: 'update', sum: 7, attempt: 1 };
const nonces = ids.map((site, index) => ({ site, nonce: digestOf(index + 1) }));
const i = inputContext({
  plan: digestOf(0xaa),
  kind: 'update',
  modelIn: digestOf(0xbb),
  ranges: NO_RANGES,
  normalisation: NO_NORMALISATION,
  weightRule: 'samples',
});
const k = roundContext({ e, i, sum: position.sum, attempt: 1, nonces });

type ContributionChange = Partial<{
  k: string;
  attempt: number;
  sum: number;
  run: string;
  kind: 'update' | 'evaluate';
  e: string;
  consortium: string;
  site: string;
}>;

function upload(site: string, change: ContributionChange = {}, signer = site) {
  const predicate = {
    consortium: CONSORTIUM,
    run: RUN,
    e,
    kind: 'update' as const,
    sum: 7,
    k,
    attempt: 1,
    site,
    blocks: 1,
    droppedBits: 100,
    object: digestOf(0x11),
    merkleRoot: digestOf(0x22),
    ranges: NO_RANGES,
    sampleCommitment: digestOf(0x33),
    batchCommitment: digestOf(0x34),
    dataReportCommitment: digestOf(0x35),
    backend: 'wasm' as const,
    ...change,
  };
  return signStatement('contribution', predicate, identities.get(signer)!);
}

function freeze(contributions = ids.map((site) => upload(site)), minContributors = 4) {
  return checkFreeze({ roster, position, k, nonces, minContributors, contributions });
}

describe('the nonce list', () => {
  const own = { site: 'beta', nonce: digestOf(2) };
  it('is accepted when sorted, distinct and with the own nonce', () => expect(() => checkNonceList(roster, nonces, own)).not.toThrow());
  it.each([
    ['reordered', [nonces[1]!, nonces[0]!, ...nonces.slice(2)], 'not sorted'],
    ['with a site twice', [nonces[0]!, nonces[0]!, ...nonces.slice(1)], 'twice'],
    ['with one nonce under two ids', [{ site: 'alpha', nonce: digestOf(2) }, ...nonces.slice(1)], 'one nonce twice'],
    ['with a stranger', [...nonces, { site: 'zeta', nonce: digestOf(9) }], 'not a site of this key epoch'],
    ['without the own nonce', nonces.filter((entry) => entry.site !== 'beta'), 'not on the nonce list'],
    ['with a stale own nonce', nonces.map((entry) => (entry.site === 'beta' ? { ...entry, nonce: digestOf(0x77) } : entry)), 'not the one'],
  ])('is refused %s', (_, list, message) => expect(() => checkNonceList(roster, list, own)).toThrow(message));
});

describe('a freeze', () => {
  it('gives A, H(A) and T', () => {
    const frozen = freeze();
    expect(frozen.sites).toEqual(ids);
    expect(frozen.set).toBe(setDigest(ids));
  });
  it('gives another T for another set', () => expect(freeze(ids.slice(1).map((site) => upload(site))).t).not.toBe(freeze().t));
  it.each([
    ['below minContributors', ids.slice(2).map((site) => upload(site)), 'requires 4'],
    ['with a site twice', [upload('alpha'), upload('alpha'), upload('beta'), upload('delta')], 'twice'],
    ['unsorted', ids.toReversed().map((site) => upload(site)), 'not sorted'],
    ['with an upload under another K', [upload('alpha', { k: digestOf(5) }), ...ids.slice(1).map((site) => upload(site))], 'another K'],
    ['with an upload of another attempt', [upload('alpha', { attempt: 2 }), ...ids.slice(1).map((site) => upload(site))], 'attempt 2'],
    [
      'with an upload of another sum',
      [upload('alpha', { sum: 6 }), ...ids.slice(1).map((site) => upload(site))],
      'another run, epoch, kind or sum',
    ],
    [
      'with an upload of another kind',
      [upload('alpha', { kind: 'evaluate' }), ...ids.slice(1).map((site) => upload(site))],
      'another run, epoch, kind or sum',
    ],
    [
      'with an upload of another epoch',
      [upload('alpha', { e: digestOf(6) }), ...ids.slice(1).map((site) => upload(site))],
      'another run, epoch, kind or sum',
    ],
  ])('is refused %s', (_, contributions, message) => expect(() => freeze(contributions)).toThrow(message));
  it('is refused with an upload signed by another site', () => {
    expect(() => freeze([upload('alpha', {}, 'beta'), ...ids.slice(1).map((site) => upload(site))])).toThrow();
  });
  it('is refused with a site that gave no nonce', () => {
    const input = { roster, position, k, nonces: nonces.slice(1), minContributors: 4, contributions: ids.map((site) => upload(site)) };
    expect(() => checkFreeze(input)).toThrow('has no nonce');
  });
  it('allows a set of one for confirm only', () => {
    const confirm = { ...position, kind: 'confirm' as const };
    expect(() =>
      checkFreeze({
        roster,
        position: confirm,
        k,
        nonces,
        minContributors: 4,
        contributions: ids.map((site) => upload(site, { kind: 'confirm' as never })),
      }),
    ).toThrow('over one site');
    expect(
      checkFreeze({
        roster,
        position: confirm,
        k,
        nonces,
        minContributors: 4,
        contributions: [upload('beta', { kind: 'confirm' as never })],
      }).sites,
    ).toEqual(['beta']);
  });
});

describe('a certificate', () => {
  const { t, set } = freeze();
  const modelIn = digestOf(0xbb);
  const attest = (site: string, change: { t?: string; kind?: 'update' | 'confirm'; run?: string } = {}, signer = site) =>
    signStatement(
      'attestation',
      {
        consortium: CONSORTIUM,
        run: change.run ?? RUN,
        epoch: 1,
        e,
        kind: change.kind ?? 'update',
        site,
        sums: [{ sum: 7, k, t: change.t ?? t, set, modelIn }],
      },
      identities.get(signer)!,
    );
  const check = (attestations: ReturnType<typeof attest>[]) => checkCertificate({ roster, position, k, t, set, modelIn, attestations });

  it('needs ρ different sites', () => {
    expect(check(ids.slice(1).map((site) => attest(site)))).toHaveLength(4);
    expect(() => check(ids.slice(2).map((site) => attest(site)))).toThrow('4 sites must attest');
    expect(() => check([attest('alpha'), attest('alpha'), attest('beta'), attest('delta')])).toThrow('attests twice');
  });
  it.each([
    ['over another T', { t: digestOf(1) }, 'another T'],
    ['of another kind', { kind: 'confirm' as const }, 'another run, epoch or kind'],
    ['of another run', { run: 'r2-0123456789abcdef' }, 'another run, epoch or kind'],
  ])('refuses an attestation %s', (_, change, message) =>
    expect(() => check([attest('alpha', change), ...ids.slice(1).map((site) => attest(site))])).toThrow(message),
  );
  it('refuses a forged signature', () =>
    expect(() => check([attest('alpha', {}, 'beta'), ...ids.slice(1).map((site) => attest(site))])).toThrow());
});

describe('a share statement', () => {
  const { t } = freeze();
  const share = (site: string, change: { k?: string; t?: string } = {}) =>
    signStatement(
      'share',
      {
        consortium: CONSORTIUM,
        run: RUN,
        e,
        kind: 'update',
        sum: 7,
        k,
        t,
        site,
        blocks: 1,
        object: digestOf(1),
        merkleRoot: digestOf(2),
        ...change,
      },
      identities.get(site)!,
    );
  it('is accepted from a key holder over this K and T', () =>
    expect(checkShareStatement(roster, position, k, t, share('alpha')).predicate.site).toBe('alpha'));
  it('is refused over another K or T', () => {
    expect(() => checkShareStatement(roster, position, k, t, share('alpha', { t: digestOf(3) }))).toThrow('another K or T');
    expect(() => checkShareStatement(roster, position, k, t, share('alpha', { k: digestOf(3) }))).toThrow('another K or T');
  });
  it('is refused from a site that holds no key', () => {
    const three = { ...roster, keyHolders: roster.keyHolders.slice(0, 3) };
    expect(() => checkShareStatement(three, position, k, t, share('gamma'))).toThrow('holds no key');
  });
});
