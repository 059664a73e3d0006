import {
  checkCertificate,
  freezeContext,
  holderPoint,
  quorumNumbers,
  resolveQuorum,
  parsePlan,
  type Roster,
  setDigest,
  signStatement,
  type SumPosition,
} from '@coferment/consortium';
import { bytesToHex, digest, generateIdentity, type Identity, loadCrypto } from '@coferment/crypto';
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { exampleUpdate, HonestEpoch } from './epoch.fixture.js';
import { agreement, byChance, correlation } from './measure.fixture.js';

/*
 * Two certificates for one sum.
 * Who: the coordinator with 3 of 7 sites, who hold keys; τ = 5. What they hold: everybody's uploads under one K.
 * Weakened design: τ signatures of key holders open a set. The coordinator shows A to two honest holders and A without the victim to the other two; the
 * three corrupt ones sign both. Five signatures each: both sums are opened.
 * What they get: the victim's update, exactly, as the difference of two sums.
 * Ours: ρ = ⌊(n + c)/2⌋ + 1 signatures of SITES, and an honest site signs one T for a sum. Of two certificates at least one is short.
 */

const SITES = ['a', 'b', 'c', 'd', 'e', 'f', 'g'];
const CORRUPT = ['a', 'b', 'c'];
const HONEST = ['d', 'e', 'f', 'g'];
const VICTIM = 'g';
const K = digest('two-quorums');
const POSITION: SumPosition = {
  consortium: 'acme',
  run: 'r1-0123456789abcdef',
  epoch: 1,
  e: digest('e'),
  kind: 'update',
  sum: 9,
  attempt: 1,
};
const MODEL = digest('model');
let epoch: HonestEpoch;

beforeAll(async () => {
  await loadCrypto();
  epoch = new HonestEpoch({ sites: 7, keyHolders: 7, threshold: 5 });
});

const named = (site: string): string => epoch.sites[SITES.indexOf(site)]!;

function vectorOf(site: string): BigUint64Array {
  return BigUint64Array.from(exampleUpdate(site, epoch.ring.degree, epoch.parameters), (value) => BigInt(value));
}

/** Opens the sum over `sites` with the shares of `holders`, as honest holders that accept the certificate release them. */
function openedSum(sites: readonly string[], holders: readonly string[]): BigUint64Array {
  const coefficients = epoch.ring.degree;
  const uploads = sites.map((site) => epoch.encrypt(named(site), K, vectorOf(site)));
  const positions = holders.map((holder) => SITES.indexOf(holder));
  const opened = epoch.open(uploads, coefficients, epoch.releaseAll(positions, { k: K, sites: sites.map(named), coefficients }));
  if (!opened.ok) throw new Error(opened.reason);
  return opened.coefficients;
}

function rosterOf(identities: ReadonlyMap<string, Identity>): Roster {
  const plan = parsePlan({
    schema: 1,
    plan: 'two-quorums',
    sample: { of: ['temperature'] },
    target: { variable: 'product_concentration' },
    model: { kind: 'linear' },
  });
  return {
    sites: SITES.map((site) => ({ site, identityKey: bytesToHex(identities.get(site)!.publicKey) })),
    keyHolders: SITES.map((site, position) => ({ site, point: holderPoint(position) })),
    numbers: resolveQuorum(plan, SITES.length),
    parameters: epoch.parameters,
    leftOut: [],
    sealingKeys: [],
  };
}

describe('a coordinator that shows two sets to two halves', () => {
  const withVictim = [...CORRUPT, 'd', 'e'];
  const without = [...CORRUPT, 'f', 'g'];

  it('reads an update exactly where τ holder signatures open a set', () => {
    const quorum = epoch.parameters.threshold;
    expect([withVictim.length, without.length]).toEqual([quorum, quorum]);
    const all = openedSum(SITES, withVictim);
    const less = openedSum(
      SITES.filter((site) => site !== VICTIM),
      without,
    );
    const difference = all.map((value, index) => value - less[index]!);
    expect(agreement(difference, vectorOf(VICTIM))).toBe(1);
    expect(correlation(Array.from(difference, Number), Array.from(vectorOf(VICTIM), Number))).toBeCloseTo(1, 10);
  });

  it('gets at most one certificate in ours, however it splits the honest sites', () => {
    const identities = new Map(SITES.map((site) => [site, generateIdentity()]));
    const roster = rosterOf(identities);
    expect(roster.numbers).toMatchObject({ n: 7, c: 3, rho: 6 });
    const sets = [SITES, SITES.filter((site) => site !== VICTIM)];
    const frozen = sets.map((sites) => {
      const counted = sites.map((site) => ({ site, merkleRoot: digest('root', site) }));
      return { sum: POSITION.sum, k: K, t: freezeContext(K, counted), set: setDigest(sites), modelIn: MODEL };
    });
    const attestation = (site: string, choice: 0 | 1) =>
      signStatement(
        'attestation',
        { consortium: 'acme', run: POSITION.run, epoch: 1, e: POSITION.e, kind: 'update', site, sums: [frozen[choice]!] },
        identities.get(site)!,
      );
    const certified = (signers: readonly string[], choice: 0 | 1): boolean => {
      try {
        checkCertificate({
          roster,
          position: POSITION,
          ...frozen[choice]!,
          attestations: signers.map((site) => attestation(site, choice)),
        });
        return true;
      } catch (error) {
        expect(error).toMatchObject({ code: 'certificate-short', message: expect.stringContaining('6 sites must attest') as string });
        return false;
      }
    };
    const outcomes = new Map<number, number>();
    for (let split = 0; split < 2 ** HONEST.length; split++) {
      const [first, second] = [0, 1].map((side) => HONEST.filter((_, index) => ((split >> index) & 1) === side)) as [string[], string[]];
      const count = Number(certified([...CORRUPT, ...first], 0)) + Number(certified([...CORRUPT, ...second], 1));
      outcomes.set(count, (outcomes.get(count) ?? 0) + 1);
    }
    // Of sixteen splits six give no certificate, ten give one (three or four honest sites on one side), and none gives two.
    expect([...outcomes].toSorted(([a], [b]) => a - b)).toEqual([
      [0, 6],
      [1, 10],
    ]);
    // Not by signing twice, nor by an attestation of the other T.
    const padded = (signers: readonly [string, 0 | 1][]) => () =>
      checkCertificate({
        roster,
        position: POSITION,
        ...frozen[0]!,
        attestations: signers.map(([site, choice]) => attestation(site, choice)),
      });
    const five = [...CORRUPT, 'd', 'e'].map((site): [string, 0] => [site, 0]);
    expect(padded([...five, ['e', 0]])).toThrow(expect.objectContaining({ code: 'attested-twice' }) as Error);
    expect(padded([...five, ['f', 1]])).toThrow(expect.objectContaining({ code: 'other-freeze' }) as Error);
  });

  it('reads nothing from one sum: it holds four honest updates', () => {
    const all = openedSum(SITES, withVictim);
    const corrupt = CORRUPT.map(vectorOf);
    const left = Array.from(all, (value, index) => Number(value) - corrupt.reduce((sum, vector) => sum + Number(vector[index]!), 0));
    const victim = Array.from(vectorOf(VICTIM), Number);
    // What four unlike updates share with one of them: 1/√4, not more.
    expect(Math.abs(correlation(left, victim) - 0.5)).toBeLessThan(byChance(left.length));
  });
});

describe('two certificates for one sum', () => {
  it('never exist for any n, c and schedule: an honest site would have signed twice', () => {
    const consortium = fc.integer({ min: 3, max: 128 }).chain((n) =>
      fc.record({
        n: fc.constant(n),
        c: fc.integer({ min: 0, max: Math.floor((n - 1) / 2) }),
        order: fc.array(fc.nat(2), { minLength: n, maxLength: n }),
      }),
    );
    fc.assert(
      fc.property(consortium, ({ n, c, order }) => {
        const keyHolders = Math.min(n, 12);
        const threshold = Math.min(keyHolders, c + 1);
        fc.pre(threshold === c + 1 && threshold >= 2 && c + 2 <= n && Math.floor((n + c) / 2) + 1 <= n);
        const { attestQuorum } = quorumNumbers({ n, c, m: keyHolders, tau: threshold });
        // Each honest site signs the first T it sees (0 or 1) or is away (2); the c others sign both.
        const honest = order.slice(c);
        const signatures = [0, 1].map((choice) => c + honest.filter((seen) => seen === choice).length);
        return signatures.filter((count) => count >= attestQuorum).length <= 1;
      }),
      { numRuns: 2000 },
    );
  });
});
