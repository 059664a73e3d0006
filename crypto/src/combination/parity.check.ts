import { parityWeights, subsetsOf } from '../committee/lagrange.rational.js';
import { isWithin } from '../ring/crt.composition.js';
import type { ParameterSet } from '../ring/parameter.set.js';
import { addScaledElement, scalar, zeroElement, type RingElement } from '../ring/ring.element.js';
import { maxSmudging } from '../sampling/smudging.sampler.js';

/** Received shares: position of the holder → its blocks. */
export type ReceivedShares = ReadonlyMap<number, readonly RingElement[]>;

export interface ParityContext {
  set: ParameterSet;
  points: readonly number[];
  threshold: number;
  smudgingBits: number;
  /** Coefficients in use in each block. */
  sizes: readonly number[];
  shares: ReceivedShares;
}

const absolute = (value: bigint): bigint => (value < 0n ? -value : value);

/** True when Σ μ_j·h_j is within Σ|μ_j|·(2^(b+1) − 2) in every coefficient in use, for the relation over these τ+1 holders. */
function relationHolds(context: ParityContext, holders: readonly number[]): boolean {
  const { set, shares, sizes } = context;
  const weights = parityWeights(context.points, holders);
  const bound = weights.reduce((sum, weight) => sum + absolute(weight), 0n) * maxSmudging(context.smudgingBits);
  const factors = weights.map((weight) => scalar(weight, set));
  for (const [block, used] of sizes.entries()) {
    const total = zeroElement(set);
    holders.forEach((holder, index) => addScaledElement(total, shares.get(holder)![block]!, factors[index]!, set));
    if (!isWithin(total, bound, set, used)) return false;
  }
  return true;
}

/** Answers for relations, each computed once. */
function relationTable(context: ParityContext): (holders: readonly number[]) => boolean {
  const known = new Map<string, boolean>();
  return (holders) => {
    const name = holders.join(',');
    const answer = known.get(name) ?? relationHolds(context, holders);
    known.set(name, answer);
    return answer;
  };
}

/** Every relation, not a basis: a combination of basis relations divided by an integer can be large modulo q while the basis is small. */
function isConsistent(holders: readonly number[], threshold: number, holds: (holders: readonly number[]) => boolean): boolean {
  for (const chosen of subsetsOf(holders.length, threshold + 1)) {
    if (!holds(chosen.map((index) => holders[index]!))) return false;
  }
  return true;
}

export type ParityVerdict = { consistent: true } | { consistent: false; suspects?: number[] };

/**
 * R7's parity relations over all received shares. With f wrong ones the check fails once τ+f have arrived; once τ+2f have, the largest
 * consistent set is unique and the others are the suspects. With fewer shares f liars could frame an honest holder, so there are none.
 */
export function checkParity(context: ParityContext): ParityVerdict {
  const holders = [...context.shares.keys()].toSorted((a, b) => a - b);
  const holds = relationTable(context);
  if (isConsistent(holders, context.threshold, holds)) return { consistent: true };
  for (let wrong = 1; holders.length >= context.threshold + 2 * wrong; wrong++) {
    const candidates: number[][] = [];
    for (const kept of subsetsOf(holders.length, holders.length - wrong)) {
      const honest = kept.map((index) => holders[index]!);
      if (isConsistent(honest, context.threshold, holds)) candidates.push(holders.filter((holder) => !honest.includes(holder)));
    }
    if (candidates.length === 1) return { consistent: false, suspects: candidates[0]! };
    if (candidates.length > 1) return { consistent: false };
  }
  return { consistent: false };
}
