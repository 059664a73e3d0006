import { concatBytes, type Dealing, hash, xof } from '@coferment/crypto';
import { randomBytes } from 'node:crypto';
import type { HonestEpoch } from '../controls/epoch.fixture.js';
import { type AttackerRing, bytesOf, modulo, type Slots } from '../controls/ring.fixture.js';

export function randomElement(ring: AttackerRing): Slots {
  const stream = xof('attack-random-element', new Uint8Array(randomBytes(32)));
  return ring.constant(0n).map((_, index) => stream.uniformBelow(ring.primes[Math.floor(index / ring.degree)]!));
}

export const valueAt = (ring: AttackerRing, polynomial: readonly Slots[], point: number): Slots =>
  polynomial.reduceRight((value, coefficient) => ring.add(coefficient, value, BigInt(point)), ring.constant(0n));

/** What a dealer can do otherwise than S2 says, while everything that depends on it (commitments, challenge, masked polynomials) is made to fit. */
export interface DealingPlan {
  dealer: string;
  /** S, lowest coefficient first; S(0) is what the key holders will believe to share. Of any degree. */
  polynomial: readonly Slots[];
  /** The key the dealer encrypts with, where it is not S(0). */
  secretKey?: Slots;
  /** Another value for one holder (by position). */
  tampered?: (holder: number, value: Slots) => Slots;
  /** Whose name and epoch go into the challenge; the dealer's own. */
  challengeFor?: { e0: string; dealer: string };
}

/** A dealing by the letter of S2, written anew, with the changes that the plan asks for. */
export function craftDealing(epoch: HonestEpoch, plan: DealingPlan): Dealing {
  const { ring, committee, parameters } = epoch;
  const { threshold } = parameters;
  const { dealer, polynomial, tampered = (_, value) => value } = plan;
  const masks = [1, 2].map(() => polynomial.map(() => randomElement(ring)));
  const salted = committee.points.map((point, holder) => {
    const [value, ...maskValues] = [polynomial, ...masks].map((coefficients) => valueAt(ring, coefficients, point)) as [
      Slots,
      Slots,
      Slots,
    ];
    const salt = new Uint8Array(randomBytes(32));
    return { salt, values: [tampered(holder, value), ...maskValues].map(bytesOf) };
  });
  const commitments = salted.map(({ salt, values }) => Buffer.from(hash('dealing-commitment', salt, ...values)).toString('hex'));
  const { e0, dealer: named } = plan.challengeFor ?? { e0: epoch.e0, dealer };
  const stream = xof('deal-beta', e0, named, commitments);
  const masked = masks.map((mask) => {
    const beta = ring.primes.map((prime) => stream.uniformBelow(prime));
    const whole = mask.map((element, degree) => ring.add(element, scaledByPrime(ring, polynomial[degree]!, beta)));
    return fitted(ring, whole, committee.points, threshold);
  });
  return {
    secretKey: bytesOf(plan.secretKey ?? polynomial[0]!),
    commitments,
    masked: concatBytes(masked.flat().map(bytesOf)),
    privateShares: salted.map(({ salt, values }) => concatBytes([salt, ...values])),
  };
}

const scaledByPrime = (ring: AttackerRing, element: Slots, factors: readonly bigint[]): Slots =>
  element.map((value, index) => {
    const p = Math.floor(index / ring.degree);
    return modulo(value * factors[p]!, ring.primes[p]!);
  });

/** The polynomial of `count` coefficients through the values of `whole` at the first `count` points: itself, when its degree is below that. */
function fitted(ring: AttackerRing, whole: readonly Slots[], points: readonly number[], count: number): Slots[] {
  if (whole.length <= count) return [...whole];
  const chosen = points.slice(0, count);
  const result = Array.from({ length: count }, () => ring.constant(0n));
  for (const point of chosen) {
    const value = valueAt(ring, whole, point);
    // Lagrange's basis polynomial of this point, by multiplying its factors out.
    let basis = [1n];
    let denominator = 1n;
    for (const other of chosen) {
      if (other === point) continue;
      basis = [0n, ...basis].map((coefficient, degree) => coefficient - BigInt(other) * (basis[degree] ?? 0n));
      denominator *= BigInt(point - other);
    }
    basis.forEach((coefficient, degree) => (result[degree] = ring.add(result[degree]!, value, ring.ratio(coefficient, denominator))));
  }
  return result;
}

/** Positions of the holders that refuse, with their code. */
export function refusals(dealing: Dealing, check: (holder: number) => unknown): Map<number, string> {
  const found = new Map<number, string>();
  for (const holder of dealing.privateShares.keys()) {
    try {
      check(holder);
    } catch (error) {
      found.set(holder, (error as { code?: string }).code ?? String(error));
    }
  }
  return found;
}
