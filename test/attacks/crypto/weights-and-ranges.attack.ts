import {
  applySum,
  describeModel,
  encodeExact,
  initialState,
  inputContext,
  nextRanges,
  type Plan,
  quantiseUpdate,
  type StrategyState,
  sumInput,
  vectorShape,
} from '@coferment/consortium';
import { coefficientCount, digest, loadCrypto, packVector, parameterSet, unpackSum, xof } from '@coferment/crypto';
import { beforeAll, describe, expect, it } from 'vitest';
import { HonestEpoch } from '../controls/epoch.fixture.js';
import { correlation } from '../controls/measure.fixture.js';
import { networkPlan } from '../controls/small-network.fixture.js';

/*
 * Weights and values that no honest site sends.
 * Who: one site. What it holds: its own key, so it can encrypt any word below t in any coefficient.
 * What it wants: to move the model further than a site may, to blow the update up by making the weights small, or to make ranges grow.
 * What it meets: the sum is refused when its weights or digits cannot be those of |A| honest sites. What stays inside those limits passes: that a site can
 * spoil a sum is a documented limit, and its size is measured here.
 */

const SITES = 5;
const ATTACKER = 4;
let plan: Plan;
let epoch: HonestEpoch;
let state: StrategyState;
const K = digest('weights-and-ranges');

beforeAll(async () => {
  await loadCrypto();
  plan = networkPlan();
  epoch = new HonestEpoch({ sites: SITES, keyHolders: 3, threshold: 3 });
  const statistics = { exact: [100n], addends: SITES };
  state = initialState({ ...plan, normalisation: 'none' }, { ordinal: 1, siteIds: epoch.sites as string[], statistics });
});

const length = (): number => describeModel(plan).parameters;
const delta = (site: number): Float64Array => {
  const stream = xof('honest-delta', site);
  return Float64Array.from({ length: length() }, () => (stream.float53() - 0.5) * 0.01);
};

function honestVector(site: number, weight = 20): BigUint64Array {
  const { parameters } = epoch;
  const { ranges, weightCap } = state;
  const { packed } = quantiseUpdate({
    plan,
    ranges,
    delta: delta(site),
    weight,
    weightCap,
    valueBits: parameters.valueBits,
    seed: xof('seed', site),
  });
  const exact = encodeExact(plan, 'update', { weight, holdoutCount: 5, holdoutSumSquaredError: 1, trainLossSum: 1 });
  return packVector(vectorShape(plan, 'update'), parameters, packed, exact);
}

/** Encrypts, opens and applies; the attacker's coefficients are changed before it encrypts. */
function round(change: (coefficients: BigUint64Array) => void, weights: readonly number[] = []): StrategyState {
  const { parameters, sites } = epoch;
  const shape = vectorShape(plan, 'update');
  const uploads = sites.map((site, index) => {
    const coefficients = honestVector(index, weights[index]);
    if (index === ATTACKER) change(coefficients);
    return epoch.encrypt(site, K, coefficients);
  });
  const coefficients = coefficientCount(shape, parameters);
  const opened = epoch.open(uploads, coefficients, epoch.releaseAll(epoch.holders, { k: K, sites, coefficients }));
  if (!opened.ok) throw new Error(opened.reason);
  const { packed, exact } = unpackSum(shape, parameters, opened.coefficients, SITES);
  return applySum(plan, state, { packed, exact, addends: SITES, valueBits: parameters.valueBits });
}

const weightAt = (): number => Math.ceil(length() / epoch.parameters.digitsPerCoefficient);
const refused = expect.objectContaining({ code: 'out-of-range' }) as Error;
const { plainModulus } = parameterSet('STANDARD');

describe('a weight', () => {
  it('is applied when it is an honest one', () => {
    expect(state.weightCap).toBe(64);
    expect(round(() => undefined).round).toBe(1);
  });

  it.each([
    ['beyond the cap for all', 1n + BigInt(SITES * 64), []],
    ['of zero among sites of weight one', 0n, [1, 1, 1, 1, 1]],
    ['of −1 modulo t among sites of weight one', plainModulus - 1n, [1, 1, 1, 1, 1]],
    ['of −80 modulo t, which cancels the others', plainModulus - 80n, []],
    ['of half of t', plainModulus / 2n, []],
    ['of 2^48 · 5', 5n << 48n, []],
  ])('%s: nothing is applied', (_, weight, weights) => {
    expect(() => round((vector) => (vector[weightAt()] = weight), weights)).toThrow(refused);
  });

  it('LIMIT of −1 modulo t passes where the others weigh enough, and so does −75: the step is 20 times too long', () => {
    const honest = round(() => undefined);
    const step = (after: StrategyState): number[] => Array.from(after.model, (value, index) => value - state.model[index]!);
    const ratio = (after: StrategyState): number => {
      const [a, b] = [step(after), step(honest)].map((values) => Math.hypot(...values)) as [number, number];
      return a / b;
    };
    expect(ratio(round((vector) => (vector[weightAt()] = plainModulus - 1n)))).toBeCloseTo(100 / 79, 2);
    // Weights sum to 5, the least that is accepted, instead of 100.
    const shortened = round((vector) => (vector[weightAt()] = plainModulus - 75n));
    expect(ratio(shortened)).toBeCloseTo(20, 1);
    expect(correlation(step(shortened), step(honest))).toBeGreaterThan(0.999);
  });
});

describe('a value', () => {
  const digitBits = (): bigint => BigInt(epoch.parameters.digitBits);

  it.each([
    ['more than five sites can send, in the lowest digit', () => 5n * 65_535n],
    ['less than nothing, borrowed from the next digit', () => plainModulus - (1n << 18n)],
    ['more than fits, in the highest digit', () => 1n << (3n * 19n - 1n)],
  ])('%s: nothing is applied', (_, word) => {
    expect(() => round((vector) => (vector[0] = word()))).toThrow(refused);
  });

  it('LIMIT of nearly n times its range passes: the others leave room for it in the sum', () => {
    const { valueBits } = epoch.parameters;
    const zero = 1n << BigInt(valueBits - 1);
    // Four honest values near the zero point; the sum may reach 5·(2^v − 1).
    const boost = BigInt(SITES) * (2n * zero - 1n) - 4n * zero - zero / 8n;
    const boosted = round((vector) => (vector[0] = (vector[0]! & ~((1n << digitBits()) - 1n)) | boost));
    const range = state.ranges.perTensor[0]!;
    const moved = Math.abs(boosted.model[0]! - state.model[0]!);
    // What the attacker could do within its own range: one range times its share cap / Σ weights.
    const honestMost = (range * state.weightCap) / 100;
    expect(moved / honestMost).toBeGreaterThan(SITES - 1.6);
    expect(moved / honestMost).toBeLessThan(SITES);
  });

  it('in the check coefficient: nothing is applied', () => {
    expect(() => round((vector) => (vector[vector.length - 1] = 1n))).toThrow('The check coefficient is 1 instead of 0');
  });
});

describe('ranges', () => {
  it('at most double in a round, whatever was in the sum, and never at once in all tensors by one site alone beyond that', () => {
    const values = Float64Array.from({ length: length() }, () => 1e12);
    const grown = nextRanges(plan, state.ranges, { values, addends: SITES });
    grown.perTensor.forEach((range, index) => expect(range).toBe(2 * state.ranges.perTensor[index]!));
  });

  it('that somebody grew faster give another I: whoever computes them from the sum refuses', () => {
    const honest = sumInput(plan, 'update', state);
    for (const factor of [2.000001, 3, 0.5]) {
      const told: StrategyState = {
        ...state,
        ranges: { ...state.ranges, perTensor: state.ranges.perTensor.map((range) => range * factor) },
      };
      expect(inputContext(sumInput(plan, 'update', told))).not.toBe(inputContext(honest));
    }
    const infinite = { ...state.ranges, perTensor: state.ranges.perTensor.map(() => Infinity) };
    expect(() => nextRanges(plan, infinite, { values: new Float64Array(length()), addends: SITES })).toThrow(refused);
  });
});
