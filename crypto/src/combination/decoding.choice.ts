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

  /** Candidates that show every liar by themselves. */
  alone(): DecodingSet[] {
    return this.#candidates.filter((decoding) => decoding.holders.every((holder) => this.#shown.get(decoding)!.has(holder)));
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

function remembering<T>(answers: Map<string, T>, name: string, make: () => T): T {
  const known = answers.get(name);
  if (known !== undefined) return known;
  const made = make();
  if (answers.size >= MOST_REMEMBERED) answers.delete(answers.keys().next().value!);
  answers.set(name, made);
  return made;
}

const chosen = new Map<string, readonly DecodingSet[]>();
const opening = new Map<string, readonly DecodingSet[]>();

function nameOf(positions: readonly number[], parameters: AggregationParameters, set: ParameterSet): string {
  const { keyHolders, threshold, sites, smudgingBits, droppedBits, shareDroppedBits } = parameters;
  return [set.name, keyHolders, threshold, sites, smudgingBits, droppedBits, shareDroppedBits, ...positions].join();
}

/**
 * The decoding sets with which shares of these holders (distinct positions, at least τ) show every lie of one of them that changes a message: a sum is right when
 * it opens with all of these sets to one message. Nearly always one set, with the default threshold; two for some τ+1 shares of some committees. With τ shares
 * there is only one, and it shows what it can.
 */
export function decodingSetsFor(
  received: readonly number[],
  committee: CommitteeConstants,
  parameters: AggregationParameters,
  set: ParameterSet,
): readonly DecodingSet[] {
  const positions = received.toSorted((a, b) => a - b);
  return remembering(chosen, nameOf(positions, parameters, set), () =>
    positions.length > committee.threshold
      ? new DecodingChoice(positions, committee, parameters, set).sets()
      : committee.decodingSets.filter(({ holders }) => holders.every((holder) => positions.includes(holder))),
  );
}

/**
 * The decoding sets that a sum is opened with: those for all shares, and those for all but each one. The first would do against one liar among the holders;
 * a holder together with a contributor who has put matching noise into its upload is shown by the others. Coordinator, sites and auditors open with the same
 * sets, so none of them takes a sum that another refuses.
 */
export function openingSetsFor(
  received: readonly number[],
  committee: CommitteeConstants,
  parameters: AggregationParameters,
  set: ParameterSet,
): readonly DecodingSet[] {
  const positions = received.toSorted((a, b) => a - b);
  return remembering(opening, nameOf(positions, parameters, set), () => {
    const all = decodingSetsFor(positions, committee, parameters, set);
    if (positions.length === committee.threshold) return all;
    const without = new Map(positions.map((left) => [left, setsWithout(left, positions, committee, parameters, set)]));
    const sets = new Set(all);
    // A set leaves out several holders: taking those first that serve for most of them keeps the sets few.
    for (let left = positions.filter((holder) => !without.get(holder)!.some((decoding) => sets.has(decoding))); left.length > 0;) {
      const served = (decoding: DecodingSet) => left.filter((holder) => without.get(holder)!.includes(decoding));
      const candidates = left.flatMap((holder) => without.get(holder)!);
      if (candidates.length === 0) {
        // No single set will do for these: as many as it takes.
        for (const holder of left) {
          const rest = positions.filter((position) => position !== holder);
          for (const decoding of decodingSetsFor(rest, committee, parameters, set)) sets.add(decoding);
        }
        break;
      }
      const best = candidates.reduce((a, b) => (served(b).length > served(a).length ? b : a));
      sets.add(best);
      left = left.filter((holder) => !without.get(holder)!.includes(best));
    }
    return [...sets];
  });
}

/** Sets that by themselves show every lie of one holder when the share of `left` is not there. */
function setsWithout(
  left: number,
  positions: readonly number[],
  committee: CommitteeConstants,
  parameters: AggregationParameters,
  set: ParameterSet,
): readonly DecodingSet[] {
  const rest = positions.filter((position) => position !== left);
  if (rest.length === committee.threshold) return decodingSetsFor(rest, committee, parameters, set);
  return new DecodingChoice(rest, committee, parameters, set).alone();
}
