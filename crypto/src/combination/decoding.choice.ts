import type { CommitteeConstants, DecodingSet } from '../committee/committee.constants.js';
import { greatestCommonDivisor } from '../committee/lagrange.rational.js';
import { relationLattice } from '../committee/relation.lattice.js';
import type { AggregationParameters, ParameterSet } from '../ring/parameter.set.js';
import { doubledNoise, doubledShareNoise } from './noise.bound.js';

/*
 * What one wrong share can be when every relation holds. Relation I says |μ_I·ε mod q| ≤ B_I, B_I twice its bound since honest noise may stand against ε: so ε
 * is within B_I/|μ_I| of a multiple of q/|μ_I|, for all I with the same fraction k/u of q (two different ones are farther apart than planned noise), where u is
 * the greatest common divisor of the |μ_I|. With weight w the opened x moves by q·(w·k/u), and by what noise could be. t is prime and larger than u, so
 * unless w·k/u is whole, x comes to stand at least q/(d·t) from every message, d = u/gcd(u, w). Where that is more than the noise of both sides, the
 * residual shows the lie. Which lies are shown depends on D alone, so D is chosen, once for all blocks.
 */

/** Lies of one holder that pass every relation: within top/bottom of a multiple of q/u. */
interface Leeway {
  u: bigint;
  top: bigint;
  bottom: bigint;
}

const absolute = (value: bigint): bigint => (value < 0n ? -value : value);

class DecodingChoice {
  readonly #leeway = new Map<number, Leeway>();
  readonly #candidates: DecodingSet[];
  /** By candidate: holders of whom the residual shows every lie that moves x by more than noise. */
  readonly #shown: ReadonlyMap<DecodingSet, ReadonlySet<number>>;

  constructor(
    received: readonly number[],
    committee: CommitteeConstants,
    parameters: AggregationParameters,
    { modulus: q, plainModulus: t }: ParameterSet,
  ) {
    const share = doubledShareNoise(parameters);
    for (const { holders, weights } of relationLattice(committee.points, received, committee.threshold).relations) {
      const bound = weights.reduce((sum, weight) => sum + absolute(weight), 0n) * share;
      for (const [index, holder] of holders.entries()) {
        const own = absolute(weights[index]!);
        const known = this.#leeway.get(holder);
        const closer = known === undefined || bound * known.bottom < known.top * own;
        const [top, bottom] = closer ? [bound, own] : [known.top, known.bottom];
        this.#leeway.set(holder, { u: greatestCommonDivisor(known?.u ?? 0n, own), top, bottom });
      }
    }
    this.#candidates = committee.decodingSets.filter(({ holders }) => holders.every((holder) => received.includes(holder)));
    const shown = this.#candidates.map((decoding) => {
      // For the most addends there can be: the choice is then that of every sum.
      const doubled = doubledNoise(committee, decoding, { ...parameters, addends: parameters.sites });
      const holders = decoding.holders.filter((holder, index) => {
        const { u, top, bottom } = this.#leeway.get(holder)!;
        const weight = absolute(decoding.weights[index]!);
        return t * (u / greatestCommonDivisor(u, weight)) * ((weight * top) / bottom + 1n + doubled) < q;
      });
      return [decoding, new Set(holders)] as const;
    });
    this.#shown = new Map(shown);
  }

  /** Every liar either has no part in one of these sets, or is shown by it; so if all of them open to one message, it is the true one. */
  sets(): DecodingSet[] {
    const chosen: DecodingSet[] = [];
    for (let unseen = [...this.#leeway.keys()]; unseen.length > 0;) {
      const left = this.#candidates.map((decoding) => ({
        decoding,
        holders: unseen.filter((holder) => decoding.holders.includes(holder) && !this.#shown.get(decoding)!.has(holder)),
      }));
      // Some candidate has no part for the first of them, so this ends.
      const best = left.reduce((a, b) => (b.holders.length < a.holders.length ? b : a));
      chosen.push(best.decoding);
      unseen = best.holders;
    }
    return chosen;
  }
}

/** More than one consortium has sums under way at a time; an older answer is only computed again. */
const MOST_REMEMBERED = 256;
const remembered = new Map<string, readonly DecodingSet[]>();

/**
 * The decoding sets with which shares of these holders (distinct positions, at least τ) are opened: a sum counts when it opens with all of them to one message.
 * Nearly always one, with the default threshold; two for some τ+1 shares of some committees. With τ shares there is only one, and it shows what it can.
 */
export function decodingSetsFor(
  received: readonly number[],
  committee: CommitteeConstants,
  parameters: AggregationParameters,
  set: ParameterSet,
): readonly DecodingSet[] {
  const { keyHolders, threshold, sites, smudgingBits, droppedBits, shareDroppedBits } = parameters;
  const positions = received.toSorted((a, b) => a - b);
  const name = [set.name, keyHolders, threshold, sites, smudgingBits, droppedBits, shareDroppedBits, ...positions].join();
  const known = remembered.get(name);
  if (known !== undefined) return known;
  const made =
    positions.length > threshold
      ? new DecodingChoice(positions, committee, parameters, set).sets()
      : committee.decodingSets.filter(({ holders }) => holders.every((holder) => positions.includes(holder)));
  if (remembered.size >= MOST_REMEMBERED) remembered.delete(remembered.keys().next().value!);
  remembered.set(name, made);
  return made;
}
