import { digest, loadCrypto, maxSmudging, xof } from '@coferment/crypto';
import { beforeAll, describe, expect, it } from 'vitest';
import { exampleUpdate, HonestEpoch } from './epoch.fixture.js';
import { agreement } from './measure.fixture.js';
import { type Coefficients, modulo, readShare, readUpload, type Slots, slotsOf } from './ring.fixture.js';

/*
 * Smudging noise from too short an input.
 * Who: the coordinator. What it holds: two releases of each of τ holders, which it made them compute for two sets (A and A without the victim) or in two
 * attempts (two K), for example after a database was restored.
 * Weakened design: noise = PRF(k_j, run, round, block). Two computations share it, so h − h′ = L1·a·S_victim(α_j), or L1·(a − a′)·S_A(α_j), without noise.
 * What it gets: key shares, exactly; from τ holders the victim's secret key; with it the victim's update.
 * Ours: the noise is a function of K, the set, kind, parameters, holder and block. (Where τ holders did release for both sets, the difference of the two
 * sums would be readable in any design: that is what certificates are for, see two-quorums.attack.ts. Keys stay secret even then.)
 */

const SITES = ['site-00', 'site-01', 'site-02', 'site-03', 'site-04'];
const VICTIM = 'site-02';
const OTHERS = SITES.filter((site) => site !== VICTIM);
const K = digest('short-noise-input');
const K2 = digest('short-noise-input, second attempt');
const HOLDERS = [0, 1, 3, 4];
let epoch: HonestEpoch;
let vector: BigUint64Array;

beforeAll(async () => {
  await loadCrypto();
  epoch = new HonestEpoch({ sites: 5, keyHolders: 5, threshold: 4 });
  const { parameters, ring } = epoch;
  const update = exampleUpdate(VICTIM, ring.degree, parameters);
  vector = BigUint64Array.from(update, (value) => BigInt(value));
});

type Release = (holder: number, k: string, sites: readonly string[]) => Coefficients;

/** L1·a·S_A(α_j) + PRF(k_j, round): the set and K are not in it. */
const weakened: Release = (holder, k, sites) => {
  const { ring, parameters, committee } = epoch;
  const stream = xof('weakened-smudging', new Uint8Array(32).fill(holder + 1), 'round 7');
  const width = 1n << BigInt(parameters.smudgingBits);
  const value = ring.toCoefficients(
    ring.multiply(ring.scale(ring.publicElement(k), committee.L1), slotsOf(epoch.keyShareSum(holder, sites))),
  );
  return value.map((coefficient) => {
    const sum = Array.from({ length: 4 }, () => stream.uniformBelow(width)).reduce((total, draw) => total + draw, 0n);
    return modulo(coefficient + sum - maxSmudging(parameters.smudgingBits), ring.q);
  });
};

const ours: Release = (holder, k, sites) => {
  const { ring, parameters } = epoch;
  return readShare(ring, epoch.release(holder, { k, sites, coefficients: ring.degree }), ring.degree, parameters);
};

const difference = (a: Coefficients, b: Coefficients): Slots =>
  epoch.ring.toSlots(a.map((value, index) => modulo(value - b[index]!, epoch.ring.q)));

/** S_victim(α_j) from releases for A and for A without the victim. */
function victimShare(release: Release, holder: number): Slots {
  const { ring, committee } = epoch;
  const exact = difference(release(holder, K, SITES), release(holder, K, OTHERS));
  return ring.divide(exact, ring.scale(ring.publicElement(K), committee.L1));
}

/** s_victim from τ shares, by Lagrange interpolation at zero. */
function interpolated(shares: ReadonlyMap<number, Slots>): Slots {
  const { ring, committee } = epoch;
  const holders = [...shares.keys()];
  let sum = ring.constant(0n);
  for (const [holder, share] of shares) {
    const own = BigInt(committee.points[holder]!);
    const factor = holders.reduce((product, other) => {
      const point = BigInt(committee.points[other]!);
      return other === holder ? product : modulo(product * ring.ratio(-point, own - point), ring.q);
    }, 1n);
    sum = ring.add(sum, share, factor);
  }
  return sum;
}

function readUpdate(key: Slots): bigint[] {
  const { ring, parameters } = epoch;
  const upload = readUpload(ring, epoch.encrypt(VICTIM, K, vector), ring.degree, parameters);
  const mask = ring.toCoefficients(ring.multiply(ring.publicElement(K), key));
  return upload.map((value, index) => ring.rounded(value + mask[index]!));
}

describe('two releases of a holder, for A and for A without one site', () => {
  it('give its key and its update where the set is not in the noise', () => {
    const shares = new Map(HOLDERS.map((holder) => [holder, victimShare(weakened, holder)]));
    for (const [holder, share] of shares) expect(agreement(share, slotsOf(epoch.keyShare(holder, VICTIM)))).toBe(1);
    const key = interpolated(shares);
    expect(agreement(key, slotsOf(epoch.secretKey(VICTIM)))).toBe(1);
    expect(agreement(readUpdate(key), Array.from(vector))).toBe(1);
  });

  it('give no share and no key in ours', () => {
    const shares = new Map(HOLDERS.map((holder) => [holder, victimShare(ours, holder)]));
    for (const [holder, share] of shares) expect(agreement(share, slotsOf(epoch.keyShare(holder, VICTIM)))).toBe(0);
    const key = epoch.ring.toCoefficients(interpolated(shares)).map((value) => epoch.ring.centred(value));
    expect(key.filter((value) => value >= -1n && value <= 1n).length).toBe(0);
    expect(agreement(key, epoch.ternary(VICTIM))).toBe(0);
  });
});

describe('two releases of a holder, for one set under two K', () => {
  const shareSum = (release: Release, holder: number): Slots => {
    const { ring, committee } = epoch;
    const a = ring.add(ring.publicElement(K), ring.publicElement(K2), -1n);
    return ring.divide(difference(release(holder, K, SITES), release(holder, K2, SITES)), ring.scale(a, committee.L1));
  };

  it('give its share of the sum of keys where K is not in the noise', () => {
    expect(agreement(shareSum(weakened, 0), slotsOf(epoch.keyShareSum(0, SITES)))).toBe(1);
  });

  it('give nothing in ours', () => {
    expect(agreement(shareSum(ours, 0), slotsOf(epoch.keyShareSum(0, SITES)))).toBe(0);
  });
});

describe('the noise of ours', () => {
  it('is not shared by any two releases that differ in what they are for', () => {
    const { ring, parameters, committee } = epoch;
    const noise = (k: string, sites: readonly string[], kind: string): Coefficients => {
      const share = readShare(ring, epoch.release(0, { k, sites, kind, coefficients: ring.degree }), ring.degree, parameters);
      const exact = ring.toCoefficients(
        ring.multiply(ring.scale(ring.publicElement(k), committee.L1), slotsOf(epoch.keyShareSum(0, sites))),
      );
      return share.map((value, index) => ring.centred(value - exact[index]!));
    };
    const noises = [noise(K, SITES, 'update'), noise(K, OTHERS, 'update'), noise(K2, SITES, 'update'), noise(K, SITES, 'evaluate')];
    const least = (1n << BigInt(parameters.smudgingBits)) / 1000n;
    for (const [index, one] of noises.entries()) {
      for (const other of noises.slice(0, index)) {
        // 1024 differences, each as wide as the noise, in steps of the truncation: few are as small as a thousandth of it.
        const small = one.filter((value, i) => (value - other[i]!) ** 2n < least ** 2n).length;
        expect(small).toBeLessThan(ring.degree / 30);
      }
    }
  });
});
