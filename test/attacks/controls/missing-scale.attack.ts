import { digest, loadCrypto, maxSmudging, xof } from '@coferment/crypto';
import { beforeAll, describe, expect, it } from 'vitest';
import { HonestEpoch } from './epoch.fixture.js';
import { type AttackerRing, type Coefficients, modulo, readShare, readUpload, type Slots, slotsOf } from './ring.fixture.js';

/*
 * L1 left out of the decryption shares.
 * Who: τ − 1 key holders together with the coordinator. What they hold: their own key shares, the public uploads, the published sum, and ONE share of an
 * honest holder, smudged in full.
 * Weakened design: h = a·S_A(α) + e, without the factor L1. With C = {2, −2, 3, −3} and the honest holder at 1, λ0 = 2/3: the attackers know
 * a·S_A(0) up to the sum of the encryption errors e_A, so they compute 3·h − (all they know) = 2·e_A + 3·e, a small integer, whatever the noise.
 * What they get: e_A modulo 3 in every coefficient, and from that a linear equation modulo 3 in the secret keys.
 * Ours: h = L1·a·S_A(α) + e with L1 = 72, so that L1·λ0 = 48 is an integer: what is left is 48·e_A + e, and e modulo 48 is uniform.
 */

const SITES = Array.from({ length: 7 }, (_, index) => `site-0${index}`);
const K = digest('missing-scale');
/** Positions of the points 2, −2, 3, −3; the honest holder is at point 1. */
const CORRUPT = [2, 3, 4, 5];
const HONEST = 0;
let epoch: HonestEpoch;
let sumOfErrors: Coefficients;
let knownProduct: Slots;

beforeAll(async () => {
  await loadCrypto();
  // Nothing dropped, of uploads or shares: e_A is then the sum of the encryption errors and of nothing else.
  epoch = new HonestEpoch({ sites: 7, keyHolders: 7, threshold: 5, change: { droppedBits: 0, keptBits: 180, shareDroppedBits: 0 } });
  const { ring, parameters } = epoch;
  const vector = new BigUint64Array(ring.degree).fill(4321n);
  const uploads = SITES.map((site) => readUpload(ring, epoch.encrypt(site, K, vector), ring.degree, parameters));
  const total = uploads[0]!.map((_, i) => modulo(uploads.reduce((sum, upload) => sum + upload[i]!, 0n) - 7n * ring.lifted(4321n), ring.q));
  const keys = SITES.map((site) => slotsOf(epoch.secretKey(site))).reduce((sum, key) => ring.add(sum, key));
  const product = ring.toCoefficients(ring.multiply(ring.publicElement(K), keys));
  sumOfErrors = total.map((value, i) => ring.centred(value + product[i]!));
  // −Σc + Δ·m = a·S_A(0) − e_A: what everybody knows about the secret value at zero.
  knownProduct = ring.toSlots(total.map((value) => -value));
});

/** λ0 and λ_j with f(α_honest) = λ0·f(0) + Σ_{j ∈ C} λ_j·f(α_j), each as numerator and denominator. */
function extrapolation(): { zero: [bigint, bigint]; corrupt: [bigint, bigint][] } {
  const { points } = epoch.committee;
  const target = BigInt(points[HONEST]!);
  const known = [0n, ...CORRUPT.map((holder) => BigInt(points[holder]!))];
  const factors = known.map((own): [bigint, bigint] =>
    known.reduce<[bigint, bigint]>(([n, d], other) => (other === own ? [n, d] : [n * (target - other), d * (own - other)]), [1n, 1n]),
  );
  return { zero: factors[0]!, corrupt: factors.slice(1) };
}

/** 3·(h − scale·a·(known part of S_A(α))): what is left is a combination of e_A and of the smudging noise. */
function remainder(ring: AttackerRing, share: Coefficients, scale: bigint): Coefficients {
  const { zero, corrupt } = extrapolation();
  let known = ring.scale(knownProduct, ring.ratio(zero[0], zero[1]));
  const a = ring.publicElement(K);
  CORRUPT.forEach((holder, index) => {
    const [numerator, denominator] = corrupt[index]!;
    known = ring.add(known, ring.multiply(a, slotsOf(epoch.keyShareSum(holder, SITES))), ring.ratio(numerator, denominator));
  });
  const exact = ring.toCoefficients(ring.scale(known, scale));
  return share.map((value, i) => ring.centred(3n * (value - exact[i]!)));
}

const guessedRight = (guess: Coefficients): number =>
  guess.filter((value, i) => modulo(value, 3n) === modulo(sumOfErrors[i]!, 3n)).length / guess.length;

describe('τ − 1 corrupt key holders and one honest share', () => {
  it('learn the encryption errors modulo 3 in every coefficient where L1 is missing', () => {
    const { ring, parameters } = epoch;
    const stream = xof('missing-scale-smudging');
    const width = 1n << BigInt(parameters.smudgingBits);
    const exact = ring.toCoefficients(ring.multiply(ring.publicElement(K), slotsOf(epoch.keyShareSum(HONEST, SITES))));
    const share = exact.map((value) => {
      const sum = Array.from({ length: 4 }, () => stream.uniformBelow(width)).reduce((total, draw) => total + draw, 0n);
      return modulo(value + sum - maxSmudging(parameters.smudgingBits), ring.q);
    });
    expect(
      extrapolation()
        .zero.map(Number)
        .reduce((n, d) => n / d),
    ).toBeCloseTo(2 / 3);
    const left = remainder(ring, share, 1n);
    // 2·e_A + 3·e modulo 3; 2 is its own inverse.
    expect(guessedRight(left.map((value) => 2n * value))).toBe(1);
  });

  it('learn nothing from a share of ours, whatever they divide by', () => {
    const { ring, parameters, committee } = epoch;
    expect(committee.L1).toBe(72n);
    const bytes = epoch.release(HONEST, { k: K, sites: SITES, coefficients: ring.degree });
    const left = remainder(ring, readShare(ring, bytes, ring.degree, parameters), committee.L1);
    // 3·(48·e_A + e): a third of it is an integer, and its rest modulo 3, 2, 16 or 48 follows e alone.
    expect(left.every((value) => value % 3n === 0n)).toBe(true);
    const third = left.map((value) => value / 3n);
    for (const guess of [third, third.map((value) => 2n * value), third.map((value) => value / 48n), third.map((value) => value / 16n)]) {
      // One in three is right by chance; 1024 coefficients, standard deviation 1.5 %.
      expect(Math.abs(guessedRight(guess) - 1 / 3)).toBeLessThan(0.08);
    }
  });
});
