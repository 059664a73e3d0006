import { digest, lagrangeAtZero, loadCrypto, maxSmudging, xof } from '@coferment/crypto';
import { beforeAll, describe, expect, it } from 'vitest';
import { subsetsOf } from '../../../crypto/src/committee/lagrange.rational.js';
import { HonestEpoch } from './epoch.fixture.js';
import { agreement } from './measure.fixture.js';
import { type AttackerRing, type Coefficients, modulo, readShare, type Slots, slotsOf } from './ring.fixture.js';

/*
 * Retry with another committee.
 * Who: the coordinator, alone. What it holds: what one honest holder released for one ciphertext, asked twice: the first committee "failed", so another
 * set of holders is to open the same sum.
 * Weakened design: a holder multiplies its share by its Lagrange coefficient for the set it was named (as Shamir shares are recombined in threshold BFV
 * libraries), with fresh noise: h = λ·a·S + e, then h′ = λ′·a·S + e′. So λ′·h − λ·h′ = λ′·e − λ·e′ mod q, and a lattice of dimension two has one short
 * vector near it: (e, e′).
 * What it gets: the holder's whole key share from ONE retry.
 * Ours: a share carries no Lagrange coefficient. The same bytes serve every set, and asking again gives the same bytes.
 */

const K = digest('committee-retry-attack');
const SITES = ['site-00', 'site-01', 'site-02', 'site-03'];
/** κ = 64 at three holders: the least that our plans accept. */
const SMUDGING_BITS = 69;
const HOLDER = 1;
let epoch: HonestEpoch;

beforeAll(async () => {
  await loadCrypto();
  epoch = new HonestEpoch({ sites: 4, keyHolders: 4, threshold: 3 });
});

interface Vector {
  x: bigint;
  y: bigint;
}

const dot = (a: Vector, b: Vector): bigint => a.x * b.x + a.y * b.y;
const nearest = (numerator: bigint, denominator: bigint): bigint => {
  const doubled = 2n * numerator + denominator;
  const quotient = doubled / (2n * denominator);
  return doubled % (2n * denominator) < 0n ? quotient - 1n : quotient;
};
const minus = (a: Vector, b: Vector, times: bigint): Vector => ({ x: a.x - times * b.x, y: a.y - times * b.y });

/** Lagrange's reduction of a basis in the plane. */
function reduced(first: Vector, second: Vector): [Vector, Vector] {
  let [a, b] = dot(first, first) <= dot(second, second) ? [first, second] : [second, first];
  for (;;) {
    b = minus(b, a, nearest(dot(a, b), dot(a, a)));
    if (dot(b, b) >= dot(a, a)) return [a, b];
    [a, b] = [b, a];
  }
}

/** Babai: the vector of the lattice's coset `target` near zero. */
function shortest(target: Vector, [a, b]: [Vector, Vector]): Vector {
  const determinant = a.x * b.y - a.y * b.x;
  const sign = determinant < 0n ? -1n : 1n;
  const u = nearest(sign * (target.x * b.y - target.y * b.x), sign * determinant);
  const v = nearest(sign * (a.x * target.y - a.y * target.x), sign * determinant);
  return minus(minus(target, a, u), b, v);
}

/** From two releases of one value under the factors λ and λ′: the noise of the first, coefficient by coefficient. */
function noiseOfFirst(ring: AttackerRing, h: Coefficients, lambda: bigint, h2: Coefficients, lambda2: bigint): Coefficients {
  // e′ = λ′/λ·e − r with r = (λ′·h − λ·h′)/λ: the pairs (e, e′) are a coset of the lattice spanned by (1, λ′/λ) and (0, q).
  const ratio = modulo(lambda2 * ring.ratio(1n, lambda), ring.q);
  const basis = reduced({ x: 1n, y: ratio }, { x: 0n, y: ring.q });
  return h.map((value, index) => {
    const r = modulo(ratio * value - h2[index]!, ring.q);
    return shortest({ x: 0n, y: -r }, basis).x;
  });
}

/** Shamir points of the weakened design: random in the field, as libraries draw them. */
const points = (): bigint[] => {
  const stream = xof('shamir-points');
  return SITES.map(() => stream.uniformBelow(1n << 59n) + 1n);
};

function lagrange(ring: AttackerRing, all: readonly bigint[], own: number, set: readonly number[]): bigint {
  return set.reduce((product, other) => {
    if (other === own) return product;
    return modulo(product * ring.ratio(-all[other]!, all[own]! - all[other]!), ring.q);
  }, 1n);
}

function weakenedRelease(share: Slots, lambda: bigint, label: string): Coefficients {
  const { ring } = epoch;
  const stream = xof('retry-smudging', label);
  const width = 1n << BigInt(SMUDGING_BITS);
  const noise = Array.from({ length: ring.degree }, () => {
    const sum = Array.from({ length: 4 }, () => stream.uniformBelow(width)).reduce((total, draw) => total + draw, 0n);
    return sum - maxSmudging(SMUDGING_BITS);
  });
  const value = ring.toCoefficients(ring.scale(ring.multiply(ring.publicElement(K), share), lambda));
  return value.map((coefficient, index) => modulo(coefficient + noise[index]!, ring.q));
}

describe('the same sum, asked for with two committees', () => {
  it('gives a whole key share where shares carry Lagrange weights', () => {
    const { ring } = epoch;
    const share = slotsOf(epoch.keyShareSum(HOLDER, SITES));
    const [first, second] = [
      [0, 1, 2],
      [1, 2, 3],
    ].map((set) => lagrange(ring, points(), HOLDER, set)) as [bigint, bigint];
    const h = weakenedRelease(share, first, 'first');
    const h2 = weakenedRelease(share, second, 'retry');
    const noise = noiseOfFirst(ring, h, first, h2, second);
    const exact = h.map((value, index) => modulo((value - noise[index]!) * ring.ratio(1n, first), ring.q));
    const stolen = ring.divide(ring.toSlots(exact), ring.publicElement(K));
    // 3 × 1024 residues of 3 × 1024.
    expect(agreement(stolen, share)).toBe(1);
  });

  it('gives the same bytes in ours, which serve every set', () => {
    const { ring, parameters, committee } = epoch;
    const coefficients = ring.degree;
    const request = { k: K, sites: SITES, coefficients };
    const once = epoch.release(HOLDER, request);
    const again = epoch.release(HOLDER, request);
    expect(again).toEqual(once);
    const vector = new BigUint64Array(coefficients).fill(1234n);
    const uploads = SITES.map((site) => epoch.encrypt(site, K, vector));
    const shares = epoch.releaseAll(epoch.holders, request);
    for (const set of subsetsOf(4, 3)) {
      const opened = epoch.open(uploads, coefficients, new Map(set.map((holder) => [holder, shares.get(holder)!])));
      expect(opened).toEqual({ ok: true, coefficients: vector.map((value) => value * 4n) });
    }
    // The lattice needs two factors; with one and the same the "second" equation is the first.
    const h = readShare(ring, once, coefficients, parameters);
    const pretended = [
      [0, 1, 2],
      [1, 2, 3],
    ].map((set) => {
      const { numerator, denominator } = lagrangeAtZero(committee.points, set)[set.indexOf(HOLDER)]!;
      return ring.ratio(numerator, denominator);
    }) as [bigint, bigint];
    const noise = noiseOfFirst(ring, h, pretended[0], readShare(ring, again, coefficients, parameters), pretended[1]);
    const guess = h.map((value, index) => modulo((value - noise[index]!) * ring.ratio(1n, committee.L1), ring.q));
    const stolen = ring.divide(ring.toSlots(guess), ring.publicElement(K));
    expect(agreement(stolen, slotsOf(epoch.keyShareSum(HOLDER, SITES)))).toBe(0);
  });
});
