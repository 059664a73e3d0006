import { xof } from '@coferment/crypto';
import { describe, expect, it } from 'vitest';
import { ConsortiumError } from '../errors/index.js';
import { parsePlan } from '../plan/index.js';
import { quantiseUpdate } from '../ranges/index.js';
import { applySum, contributionWeight, initialState, shouldStop, weightRule } from './index.js';

const plan = (extra: object = {}) =>
  parsePlan({
    schema: 1,
    plan: 'p',
    sample: { of: ['ph'], summarise: ['last', 'mean'] },
    target: { variable: 'product_concentration' },
    normalisation: 'none',
    model: { kind: 'linear' },
    training: { initialRange: 1 },
    ...extra,
  });
const start = (of = plan()) => initialState(of, { ordinal: 1, siteIds: ['a', 'b', 'c'], statistics: { exact: [60n], addends: 3 } });
const sum = (weight: bigint, packed = [3, 3, 3].map((addends) => addends * 2 ** 14)) => ({
  packed: Float64Array.from(packed),
  exact: [weight, 6n, 65_536n, 0n],
  addends: 3,
  valueBits: 15,
});

describe('a sum that must not be applied', () => {
  it.each([
    [sum(2n), 'out-of-range', /weights of 3 sites sum to 2; only from 3 to 192/],
    [sum(193n), 'out-of-range', /sum to 193/],
    [sum(2n ** 48n), 'out-of-range', /was not applied/],
    [sum(60n, [0, 0, 0]), 'out-of-range', /value 0 of the sum/],
    [sum(60n, [1, 2]), 'wrong-length', /3 values, not 2/],
    [{ ...sum(60n), exact: [60n] }, 'wrong-length', /4 exact integers, not 1/],
    [{ ...sum(60n), addends: 0 }, 'out-of-range', /weights of 0 sites/],
  ])('is refused and changes nothing (%#)', (bad, code, message) => {
    const state = start();
    const before = structuredClone(state);
    try {
      applySum(plan(), state, bad);
      expect.unreachable();
    } catch (error) {
      expect((error as ConsortiumError).code).toBe(code);
      expect((error as ConsortiumError).message).toMatch(message);
    }
    expect(state).toEqual(before);
  });
});

describe('federated averaging', () => {
  it('adds the weighted mean of the updates, as 32-bit floats', () => {
    const state = start();
    expect(state).toMatchObject({ round: 0, weightCap: 64, ranges: { perTensor: [1, 1] } });
    const sites = [
      { delta: [0.25, -0.5, 0.125], weight: 10 },
      { delta: [-0.75, 0.5, 0.5], weight: 50 },
      { delta: [0.1, 0.2, 0.3], weight: 64 },
    ];
    const packed = [0, 0, 0];
    sites.forEach(({ delta, weight }, index) => {
      const update = {
        plan: plan(),
        ranges: state.ranges,
        delta: Float64Array.from(delta),
        weight,
        weightCap: 64,
        valueBits: 15,
        seed: xof('r', index),
      };
      quantiseUpdate(update).packed.forEach((value, position) => (packed[position]! += value));
    });
    const after = applySum(plan(), state, sum(124n, packed));
    expect(after.round).toBe(1);
    [0, 1, 2].forEach((index) => {
      const mean = sites.reduce((total, { delta, weight }) => total + delta[index]! * weight, 0) / 124;
      const step = (3 * 64) / 124 / (2 ** 14 - 1);
      expect(Math.abs(after.model[index]! - state.model[index]! - mean)).toBeLessThan(step + 1e-7);
      expect(Math.fround(after.model[index]!)).toBe(after.model[index]);
    });
    expect(after.ranges).not.toEqual(state.ranges);
    expect(applySum(plan(), state, sum(124n, packed))).toEqual(after);
  });

  it('leaves the model alone when nobody moved', () => {
    const state = start();
    expect(applySum(plan(), state, sum(60n)).model).toEqual(state.model);
  });
});

describe('weights', () => {
  it('are rows up to the cap, or all one', () => {
    expect(contributionWeight(plan(), 40, 64)).toBe(40);
    expect(contributionWeight(plan(), 400, 64)).toBe(64);
    expect(contributionWeight(plan({ weighting: { by: 'equal' } }), 400, 1)).toBe(1);
    expect(() => contributionWeight(plan(), 0, 64)).toThrow(/0 training rows/);
  });

  it('enter I by their rule and cap', () => {
    expect(weightRule(plan(), 64)).toBe('{"by":"samples","cap":64}');
    expect(weightRule(plan(), null)).toBe('{"by":"samples","cap":null}');
  });
});

describe('stopping', () => {
  it('waits for the plan’s patience without a better error', () => {
    const patient = plan({ stopping: { patience: 2 } });
    expect(shouldStop(patient, [])).toBe(false);
    expect(shouldStop(patient, [3, 2, 2.5])).toBe(false);
    expect(shouldStop(patient, [3, 2, 2.5, 2])).toBe(true);
    expect(shouldStop(patient, [3, 2, 2.5, 1.9])).toBe(false);
    expect(shouldStop(plan(), [1, 2, 3, 4, 5, 6, 7])).toBe(false);
  });
});
