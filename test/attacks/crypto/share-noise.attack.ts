import { digest, loadCrypto } from '@coferment/crypto';
import { beforeAll, describe, expect, it } from 'vitest';
import { HonestEpoch } from '../controls/epoch.fixture.js';
import { agreement, byChance, correlation } from '../controls/measure.fixture.js';
import { type Coefficients, modulo, readPlanes, readShare, readUpload, slotsOf } from '../controls/ring.fixture.js';

/*
 * What is left in a share of one honest holder.
 * Who: τ − 1 key holders with the coordinator. What they hold: everything but one honest share's noise: they subtract all they know from it and are left
 * with w·e_A + e, where e_A is the sum of the encryption errors (equations in the keys), w = L1·λ0, and e the smudging noise.
 * What they want: to see e_A through e: with too little noise, by asking again and averaging, or by having the share cut or truncated in other ways.
 * What they get: the correlation falls as 2^-κ; at the planned κ nothing is left that could be measured, and every way of asking gives the same noise.
 */

const SITES = Array.from({ length: 5 }, (_, index) => `site-0${index}`);
const K = digest('share-noise');
const HONEST = 0;
const CORRUPT = [1, 2, 3];
const VALUE = 4321n;

beforeAll(loadCrypto);

/** Correlation of what the attackers are left with and the true e_A, which only this test knows: more than any attacker can do. */
function leftOver(weakerBy: number, planned: HonestEpoch): { correlation: number; samples: number } {
  const parameters = {
    ...planned.parameters,
    smudgingBits: planned.parameters.smudgingBits - weakerBy,
    droppedBits: 0,
    keptBits: 180,
    shareDroppedBits: 0,
  };
  const epoch = new HonestEpoch({ sites: 5, keyHolders: 5, threshold: 4, set: parameters.set, change: parameters });
  const { ring, committee } = epoch;
  const vector = new BigUint64Array(ring.degree).fill(VALUE);
  const uploads = SITES.map((site) => readUpload(ring, epoch.encrypt(site, K, vector), ring.degree, parameters));
  const total = Array.from(vector, (_, i) => uploads.reduce((sum, upload) => sum + upload[i]!, 0n) - 5n * ring.lifted(VALUE));
  const a = ring.publicElement(K);
  const keys = SITES.map((site) => slotsOf(epoch.secretKey(site))).reduce((sum, key) => ring.add(sum, key));
  const product = ring.toCoefficients(ring.multiply(a, keys));
  const errors = total.map((value, i) => Number(ring.centred(value + product[i]!)));

  // S_A(α_honest) = λ0·S_A(0) + Σ λ_j·S_A(α_j) over the corrupt holders.
  const known = [0, ...CORRUPT.map((holder) => committee.points[holder]!)].map(BigInt);
  const target = BigInt(committee.points[HONEST]!);
  const factors = known.map((own) =>
    known.reduce((factor, other) => (other === own ? factor : modulo(factor * ring.ratio(target - other, own - other), ring.q)), 1n),
  );
  let value = ring.scale(ring.toSlots(total.map((coefficient) => -coefficient)), factors[0]!);
  CORRUPT.forEach((holder, index) => {
    value = ring.add(value, ring.multiply(a, slotsOf(epoch.keyShareSum(holder, SITES))), factors[index + 1]!);
  });
  const exact = ring.toCoefficients(ring.scale(value, committee.L1));
  const share = readShare(ring, epoch.release(HONEST, { k: K, sites: SITES, coefficients: ring.degree }), ring.degree, parameters);
  const left = share.map((coefficient, i) => Number(ring.centred(coefficient - exact[i]!)));
  return { correlation: Math.abs(correlation(left, errors)), samples: ring.degree };
}

describe('all that τ − 1 holders can subtract from one honest share', () => {
  it('shows the encryption errors as far as the noise is too small, and no further', () => {
    const planned = new HonestEpoch({ sites: 5, keyHolders: 5, threshold: 4 });
    const { kappa } = planned.parameters;
    expect(kappa).toBe(80);
    const [plain, dim, hidden] = [kappa + 10, kappa + 3, kappa - 2].map((weakerBy) => leftOver(weakerBy, planned).correlation) as [
      number,
      number,
      number,
    ];
    // With a thousandth of κ = 0 they read e_A; at κ = −3 the correlation is 0.4 (w of this holder is below the largest); at κ = 2 it is gone in 1024 values.
    expect(plain).toBeGreaterThan(0.99);
    expect(dim).toBeLessThan(0.9);
    expect(dim).toBeGreaterThan(0.2);
    expect(hidden).toBeLessThan(byChance(1024));
  });

  it('shows nothing at the planned κ, over 8192 coefficients of the real ring', () => {
    const planned = new HonestEpoch({ sites: 5, keyHolders: 5, threshold: 4, set: 'STANDARD' });
    const { correlation: found, samples } = leftOver(0, planned);
    expect(samples).toBe(8192);
    expect(found).toBeLessThan(byChance(samples));
  });
});

describe('asking for a share again', () => {
  it('gives the same noise whatever length or truncation is asked for: there is nothing to average', () => {
    const epoch = new HonestEpoch({ sites: 5, keyHolders: 5, threshold: 4 });
    const { ring, parameters } = epoch;
    const bits = ring.q.toString(2).length;
    const values = (coefficients: number, of: HonestEpoch): Coefficients =>
      readPlanes(
        of.release(HONEST, { k: K, sites: SITES, coefficients, keyShareSum: epoch.keyShareSum(HONEST, SITES) }),
        coefficients,
        bits - of.parameters.shareDroppedBits,
      );
    const whole = values(1024, epoch);
    for (const coefficients of [1, 2, 100, 1023]) expect(values(coefficients, epoch)).toEqual(whole.slice(0, coefficients));
    // The same release with nothing truncated: what travels is its upper bits, and what was cut off is noise.
    const exact = new HonestEpoch({ sites: 5, keyHolders: 5, threshold: 4, change: { shareDroppedBits: 0 } });
    const full = values(1024, exact);
    expect(full.map((value) => value >> BigInt(parameters.shareDroppedBits))).toEqual(whole);
    const low = full.map((value) => Number(BigInt.asUintN(parameters.shareDroppedBits, value)));
    expect(Math.abs(correlation(low, whole.map(Number)))).toBeLessThan(byChance(1024));
  });

  it('gives other noise for any other K, set or kind, and every value of it is as wide as planned', () => {
    const epoch = new HonestEpoch({ sites: 5, keyHolders: 5, threshold: 4 });
    const { ring, parameters, committee } = epoch;
    const noise = (kind: string): number[] => {
      const share = readShare(
        ring,
        epoch.release(HONEST, { k: K, sites: SITES, kind, coefficients: ring.degree }),
        ring.degree,
        parameters,
      );
      const exact = ring.toCoefficients(
        ring.multiply(ring.scale(ring.publicElement(K), committee.L1), slotsOf(epoch.keyShareSum(HONEST, SITES))),
      );
      return share.map((value, i) => Number(ring.centred(value - exact[i]!)) / 2 ** parameters.smudgingBits);
    };
    const [update, confirm] = [noise('update'), noise('confirm')];
    // Four uniform numbers: variance 4/12, within ±2.
    for (const values of [update, confirm]) {
      const variance = values.reduce((sum, value) => sum + value * value, 0) / values.length;
      expect(Math.abs(variance - 1 / 3)).toBeLessThan(0.08);
      expect(Math.max(...values.map(Math.abs))).toBeLessThan(2.02);
    }
    expect(agreement(update, confirm)).toBeLessThan(0.03);
    expect(Math.abs(correlation(update, confirm))).toBeLessThan(byChance(1024));
  });
});
