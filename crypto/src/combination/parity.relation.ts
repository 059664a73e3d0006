import type { ParityRelation, RelationLattice } from '../committee/relation.lattice.js';
import { CryptoError } from '../crypto.error.js';
import { integerAt } from '../packing/residue.range.js';
import type { ParameterSet } from '../ring/parameter.set.js';
import { doubledShareNoise } from './noise.bound.js';

/*
 * A relation Σ μ_j·h_j over truncated shares is 2^d'·Σ μ_j·v_j modulo q: its weights add up to zero, so the half steps cancel. In units of 2^d' the sum is a few
 * exact 32-bit limbs in doubles, less a small multiple of q, and honest ones end near zero, where a double holds every digit that matters. What is too
 * near the bound to tell is decided with integers, so every answer is that of the plain definition.
 */

const HALF = 2 ** 32;
/** Coefficients that are looked at before the rest: a wrong share is wrong at once. */
const GLANCE = 64;

/** One block of the received shares: their truncated coefficients by position. */
export interface TruncatedShares {
  set: ParameterSet;
  used: number;
  smudgingBits: number;
  /** d' */
  shareDroppedBits: number;
  limbs: ReadonlyMap<number, readonly Uint32Array[]>;
}

/** A relation's weights as doubles and what |Σ μ_j·h_j| must not exceed. */
interface Judged {
  holders: readonly number[];
  weights: readonly number[];
  /** Twice the bound. */
  doubled: bigint;
  /** The bound in units of 2^d'. */
  bound: number;
}

const absolute = (value: bigint): bigint => (value < 0n ? -value : value);

class RelationArithmetic {
  /** ⌊q/2^d'⌋ as limbs, and the fraction that is left. */
  readonly #modulus: number[];
  readonly #fraction: number;
  /** q/2^d' */
  readonly #whole: number;

  constructor(readonly shares: TruncatedShares) {
    const { set, shareDroppedBits } = shares;
    const unit = 1n << BigInt(shareDroppedBits);
    const limbs = shares.limbs.values().next().value!.length;
    const whole = set.modulus / unit;
    this.#modulus = Array.from({ length: limbs }, (_, limb) => Number((whole >> BigInt(32 * limb)) & 0xffffffffn));
    this.#fraction = Number(set.modulus % unit) / Number(unit);
    this.#whole = Number(set.modulus) / Number(unit);
  }

  /** q/4 in units of 2^d': sums below it have not gone around. */
  get quarter(): number {
    return this.#whole / 4;
  }

  judged({ holders, weights }: ParityRelation): Judged {
    const doubled = weights.reduce((sum, weight) => sum + absolute(weight), 0n) * doubledShareNoise(this.shares);
    if (4n * doubled >= this.shares.set.modulus) {
      throw new CryptoError('bad-parameters', `The parity bound ${doubled} / 2 leaves no room in q: these parameters detect nothing.`);
    }
    return { holders, weights: weights.map(Number), doubled, bound: Number(doubled) / 2 ** (this.shares.shareDroppedBits + 1) };
  }

  /**
   * Σ weights_j·h_j mod q, centred, in units of 2^d', for coefficients from ≤ i < to: off by at most 2^-20 and 2^-48 of its value.
   * The weights add up to zero, and their absolute values to less than 2^20.
   */
  values(holders: readonly number[], weights: readonly number[], from: number, to: number): Float64Array {
    const sums = this.#modulus.map((_, limb) => this.#limbSums(limb, holders, weights, from, to));
    const values = new Float64Array(to - from);
    const top = sums.length - 1;
    const unitsOfTop = this.#whole / HALF ** top;
    for (let i = 0; i < values.length; i++) {
      let estimate = 0;
      for (let limb = 0; limb <= top; limb++) estimate = estimate / HALF + sums[limb]![i]!;
      const turns = Math.round(estimate / unitsOfTop);
      let carry = 0;
      for (let limb = 0; limb < top; limb++) {
        const sum = sums[limb]![i]! - turns * this.#modulus[limb]! + carry;
        carry = Math.floor(sum / HALF);
        sums[limb]![i] = sum - carry * HALF;
      }
      let value = sums[top]![i]! - turns * this.#modulus[top]! + carry;
      for (let limb = top - 1; limb >= 0; limb--) value = value * HALF + sums[limb]![i]!;
      values[i] = value - turns * this.#fraction;
    }
    return values;
  }

  #limbSums(limb: number, holders: readonly number[], weights: readonly number[], from: number, to: number): Float64Array {
    const sums = new Float64Array(to - from);
    for (const [index, holder] of holders.entries()) {
      const weight = weights[index]!;
      if (weight === 0) continue;
      const source = this.shares.limbs.get(holder)![limb]!;
      for (let i = 0, at = from; i < sums.length; i++, at++) sums[i]! += weight * source[at]!;
    }
    return sums;
  }

  /** The definition itself, for one coefficient. */
  isWithin({ holders, weights, doubled }: Judged, index: number): boolean {
    const { set, shareDroppedBits, limbs } = this.shares;
    const sum = holders.reduce((total, holder, at) => total + BigInt(weights[at]!) * integerAt(limbs.get(holder)!, index), 0n);
    const rest = absolute((sum << BigInt(shareDroppedBits)) % set.modulus);
    return 2n * (2n * rest > set.modulus ? set.modulus - rest : rest) <= doubled;
  }

  /** True when the relation is within its bound in all coefficients from ≤ i < to, whatever the shares are. */
  holds(relation: Judged, from: number, to: number): boolean {
    const values = this.values(relation.holders, relation.weights, from, to);
    const slack = relation.bound * 2 ** -40 + 2 ** -16;
    for (let i = 0; i < values.length; i++) {
      const size = Math.abs(values[i]!);
      if (size <= relation.bound - slack) continue;
      if (size > relation.bound + slack || !this.isWithin(relation, from + i)) return false;
    }
    return true;
  }

  /** As {@link holds} for all coefficients, from values of the basis whose combination cannot go around q. */
  combinationHolds(relation: Judged, coordinates: readonly number[], basis: readonly Float64Array[], slack: number): boolean {
    for (let i = 0; i < this.shares.used; i++) {
      let value = 0;
      for (let k = 0; k < coordinates.length; k++) value += coordinates[k]! * basis[k]![i]!;
      const size = Math.abs(value);
      if (size <= relation.bound - slack) continue;
      if (size > relation.bound + slack || !this.isWithin(relation, i)) return false;
    }
    return true;
  }
}

function largest(values: Float64Array): number {
  let most = 0;
  for (let i = 0; i < values.length; i++) most = Math.max(most, Math.abs(values[i]!));
  return most;
}

/**
 * The relations that do not hold in this block: 2·|Σ μ_j·h_j mod q| > Σ|μ_j|·(2·(2^(b+1) − 2) + 2^d') in some coefficient in use.
 * Throws 'bad-parameters' where the bound leaves no room in q.
 */
export function failedRelations(shares: TruncatedShares, lattice: RelationLattice): number[][] {
  if (lattice.relations.length === 0) return [];
  const arithmetic = new RelationArithmetic(shares);
  const basis = lattice.basis.map((vector) => arithmetic.values(lattice.holders, vector.map(Number), 0, shares.used));
  const sizes = basis.map(largest);
  const failed: number[][] = [];
  for (const relation of lattice.relations) {
    const judged = arithmetic.judged(relation);
    const coordinates = relation.coordinates.map(Number);
    const most = coordinates.reduce((sum, coordinate, k) => sum + Math.abs(coordinate) * sizes[k]!, 0);
    let holds;
    if (most < arithmetic.quarter) {
      const slack = coordinates.reduce((sum, coordinate, k) => sum + Math.abs(coordinate) * (2 ** -16 + sizes[k]! * 2 ** -44), 2 ** -16);
      holds = most + slack <= judged.bound || arithmetic.combinationHolds(judged, coordinates, basis, slack);
    } else {
      const glance = Math.min(GLANCE, shares.used);
      holds = arithmetic.holds(judged, 0, glance) && arithmetic.holds(judged, glance, shares.used);
    }
    if (!holds) failed.push([...relation.holders]);
  }
  return failed;
}
