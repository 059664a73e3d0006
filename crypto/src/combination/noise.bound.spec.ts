import { describe, expect, it } from 'vitest';
import { committeeConstants, type CommitteeConstants } from '../committee/committee.constants.js';
import { lagrangeAtZero, subsetsOf } from '../committee/lagrange.rational.js';
import { xof } from '../hashing/stream.xof.js';
import { parameterSet, type AggregationParameters } from '../ring/parameter.set.js';
import { maxSmudging } from '../sampling/smudging.sampler.js';
import { shareKeptBits } from '../shares/decryption.share.js';
import { openBlock, type OpenedBlock } from './block.opening.js';
import { blockOf, composedOf } from './block.integers.fixture.js';
import { largestCoefficient, plannedFor } from './scripted.committee.fixture.js';

const set = parameterSet('STANDARD');
const { modulus: q, plainModulus: t } = set;
const modulo = (value: bigint): bigint => ((value % q) + q) % q;

/** numerator/denominator mod q (Euclid). */
function quotientModulo(numerator: bigint, denominator: bigint): bigint {
  let [low, high, x, y] = [modulo(denominator), q, 1n, 0n];
  while (low > 1n) [low, high, x, y] = [high % low, low, y - (high / low) * x, x];
  return modulo(numerator * x);
}

interface Scene {
  parameters: AggregationParameters;
  committee: CommitteeConstants;
  position: number;
  /** Added to Σ c: beyond what honest sites can do. */
  extra: bigint;
  /** The sign of all noise. */
  sign: 1n | -1n;
}

/**
 * A block in which everything is off as far as honest parties can be, in the direction that adds up for one decoding set: encryption errors, truncation of
 * uploads, smudging, and truncation of shares, whose true value stands at the end of its step.
 */
function worstCase({ parameters, committee, position, extra, sign }: Scene): { opened: OpenedBlock; expected: bigint[] } {
  const { smudgingBits, shareDroppedBits, droppedBits, sites } = parameters;
  const decoding = committee.decodingSets[position]!;
  const stream = xof('worst', position, parameters.keyHolders);
  const lagrange = lagrangeAtZero(committee.points, decoding.holders);
  const expected = [0n, 1n, t - 1n, t / 2n, BigInt(sites) * largestCoefficient(parameters)];
  const step = 1n << BigInt(shareDroppedBits);
  const truncated: bigint[][] = decoding.holders.map(() => []);
  const totals = expected.map((message) => {
    let sumOfKeys = 0n;
    decoding.holders.forEach((_, index) => {
      const up = decoding.weights[index]! * sign > 0n;
      // The receiver takes the middle: too much where the true value is the lowest of its step, too little where it is the highest.
      const kept = stream.uniformBelow(q >> BigInt(shareDroppedBits));
      const h = kept * step + (up ? 0n : step - 1n);
      truncated[index]!.push(kept);
      const noise = up ? maxSmudging(smudgingBits) : -maxSmudging(smudgingBits);
      const { numerator, denominator } = lagrange[index]!;
      sumOfKeys += quotientModulo((h - noise) * numerator, committee.L1 * denominator);
    });
    // The largest error of every site, and the largest distance of a truncated coefficient from the middle of its step.
    const off = BigInt(sites) * (21n + (1n << BigInt(droppedBits - 1))) * sign + extra;
    return modulo((2n * q * message + t) / (2n * t) - sumOfKeys + off);
  });
  const shares = new Map(decoding.holders.map((holder, index) => [holder, blockOf(truncated[index]!, shareKeptBits(parameters))]));
  return { opened: openBlock({ parameters, used: expected.length, addends: sites, total: composedOf(totals), shares }), expected };
}

describe('the worst honest noise', () => {
  it.each([
    [3, 3],
    [4, 3],
    [5, 4],
    [7, 5],
    [12, 9],
  ])('decodes for every subset of (%i, %i), and more than that is refused', (m, threshold) => {
    const parameters = plannedFor(m, threshold, 'STANDARD');
    const committee = committeeConstants(m, threshold);
    const positions = Array.from(subsetsOf(m, threshold)).length;
    for (let position = 0; position < positions; position++) {
      for (const sign of [1n, -1n] as const) {
        const { opened, expected } = worstCase({ parameters, committee, position, extra: 0n, sign });
        expect(Array.from(opened.coefficients ?? [])).toEqual(expected);
        // Room for the roundings of the messages (a half each, of which the scene uses one), and then the next step.
        const beyond = worstCase({ parameters, committee, position, extra: sign * BigInt(m + 2), sign });
        expect(beyond.opened).toEqual({ coefficients: undefined, failedRelations: [] });
      }
    }
  });
});
