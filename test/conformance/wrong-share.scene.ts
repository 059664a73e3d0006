import {
  type AggregationParameters,
  type CommitteeConstants,
  committeeConstants,
  type DecodingSet,
  parameterSet,
  parityWeights,
  xof,
} from '@coferment/crypto';
import { subsetsOf } from '../../crypto/src/committee/lagrange.rational.js';
import { absolute, inverse, modulo, nearest } from './exactness.scene.js';

/*
 * One coefficient in which one holder of a received set lies by a fraction of q that every parity relation lets pass, everything else being as good for it as
 * honest parties can make it: smudging, truncation and uploads at the end of their range in the direction that brings the opened sum to a message, and
 * the liar, who may know all that, as far in the same direction as the relations allow. Integers only.
 */

const { modulus: q, plainModulus: t } = parameterSet('STANDARD');
const stream = xof('wrong-share');
const uniform = (below: bigint): bigint => stream.uniformBelow(below);

/** ε = (k·q + s)/u for small s passes every relation over the received shares. */
export interface Lie {
  received: readonly number[];
  liar: number;
  k: bigint;
  u: bigint;
}

/** Every k/u of q, without its s, that passes every relation, found by trying those that pass one of them. */
export function passingFractions(received: readonly number[], liar: number, { points, threshold }: CommitteeConstants): Lie[] {
  const own = relationsWith(received, liar, points, threshold).map(({ weight }) => Number(absolute(weight)));
  const fewest = Math.min(...own);
  const passing: Lie[] = [];
  for (let k = 1; k < fewest; k++) {
    if (own.every((weight) => (weight * k) % fewest === 0)) passing.push({ received, liar, k: BigInt(k), u: BigInt(fewest) });
  }
  return passing;
}

const weightsKnown = new Map<string, bigint[]>();

/** μ, drawn up once for each set of points. */
function weightsOver(points: readonly number[], holders: readonly number[]): bigint[] {
  const name = holders.map((holder) => points[holder]).join();
  const known = weightsKnown.get(name) ?? parityWeights(points, holders);
  weightsKnown.set(name, known);
  return known;
}

export function relationsWith(received: readonly number[], liar: number, points: readonly number[], threshold: number) {
  return Array.from(subsetsOf(received.length, threshold + 1), (chosen) => chosen.map((index) => received[index]!))
    .filter((holders) => holders.includes(liar))
    .map((holders) => {
      const weights = weightsOver(points, holders);
      return { holders, weights, weight: weights[holders.indexOf(liar)]! };
    });
}

/** What t·x/q is off from a whole number when D is decoded with, as a fraction of u between −u/2 and u/2; 0 without a part in D. */
export function offset({ liar, k, u }: Lie, { holders, weights }: DecodingSet): bigint {
  const at = holders.indexOf(liar);
  const turns = at < 0 ? 0n : modulo(t * weights[at]! * k, u);
  return 2n * turns > u ? turns - u : turns;
}

export interface LyingCoefficient {
  total: bigint;
  /** What travels of each share, by position. */
  truncated: Map<number, bigint>;
  expected: bigint;
}

export function lyingCoefficient(parameters: AggregationParameters, lie: Lie, aimedAt: DecodingSet, message: bigint): LyingCoefficient {
  const { L1, points, threshold } = committeeConstants(parameters.keyHolders, parameters.threshold);
  const { sites, smudgingBits, droppedBits, shareDroppedBits } = parameters;
  const { received, liar, k, u } = lie;
  const { holders, weights, scale } = aimedAt;
  const step = 1n << BigInt(shareDroppedBits);
  const middle = step / 2n;
  const noise = (1n << BigInt(smudgingBits + 1)) - 2n;
  const off = offset(lie, aimedAt);
  const pull = off > 0n || (off === 0n && uniform(2n) === 0n) ? -1n : 1n;

  const truncated = new Map<number, bigint>();
  const exact = new Map<number, bigint>();
  holders.forEach((holder, index) => {
    if (holder === liar) return exact.set(holder, uniform(q));
    const kept = uniform(q / step);
    truncated.set(holder, kept);
    return exact.set(holder, modulo(kept * step + middle - pull * (weights[index]! > 0n ? 1n : -1n) * (noise + middle - 1n), q));
  });
  const keys = modulo(holders.reduce((sum, holder, index) => sum + weights[index]! * exact.get(holder)!, 0n) * inverse(L1 * scale, q), q);
  for (const holder of received) {
    if (exact.has(holder)) continue;
    const parity = weightsOver(points, [...holders, holder]);
    const sum = holders.reduce((all, other, index) => all + parity[index]! * exact.get(other)!, 0n);
    const value = modulo(-sum * inverse(parity.at(-1)!, q), q);
    exact.set(holder, value);
    truncated.set(holder, modulo(value + (uniform(2n) === 0n ? noise : -noise), q) / step);
  }
  // How far each relation lets s go, given the noise of the others.
  let [low, high] = [-q, q];
  const bound = 2n * noise + (step === 1n ? 0n : step);
  for (const relation of relationsWith(received, liar, points, threshold)) {
    const others = relation.holders.reduce((sum, holder, index) => {
      const share = truncated.get(holder);
      return share === undefined ? sum : sum + relation.weights[index]! * centred(share * step + middle - exact.get(holder)!);
    }, 0n);
    const size = (relation.weights.reduce((sum, weight) => sum + absolute(weight), 0n) * bound) / 2n;
    const factor = relation.weight / u;
    const ends = [(-size - others) / factor, (size - others) / factor].toSorted((a, b) => (a < b ? -1 : 1));
    [low, high] = [low > ends[0]! ? low : ends[0]!, high < ends[1]! ? high : ends[1]!];
  }
  const at = holders.indexOf(liar);
  const upwards = pull * (at < 0 || weights[at]! > 0n ? 1n : -1n) > 0n;
  // A step inside, since the liar too can only send whole ones.
  const s = upwards ? high - 2n * u * step : low + 2n * u * step;
  const wanted = modulo(exact.get(liar)! + (k * q + s) / u, q);
  truncated.set(liar, wanted / step);
  const halfStep = droppedBits === 0 ? 0n : 1n << BigInt(droppedBits - 1);
  const n = BigInt(sites);
  return { total: modulo(n * nearest(q * message, t) - keys + pull * n * (21n + halfStep), q), truncated, expected: n * message };
}

const centred = (value: bigint): bigint => {
  const rest = modulo(value, q);
  return 2n * rest > q ? rest - q : rest;
};

/** What the definition opens with D alone, the residual within twice its bound; undefined when it is not. */
export function openedWith(
  parameters: AggregationParameters,
  { total, truncated }: LyingCoefficient,
  { holders, weights, scale }: DecodingSet,
  doubled: bigint,
): bigint | undefined {
  const { L1 } = committeeConstants(parameters.keyHolders, parameters.threshold);
  const step = 1n << BigInt(parameters.shareDroppedBits);
  const x = modulo(
    holders.reduce((sum, holder, index) => sum + weights[index]! * (truncated.get(holder)! * step + step / 2n), L1 * scale * total),
    q,
  );
  const message = nearest(t * x, q);
  if (2n * absolute(t * x - q * message) > t * doubled) return undefined;
  return modulo(message * inverse(L1 * scale, t), t);
}
