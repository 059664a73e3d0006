import { packVector } from '@coferment/crypto';
import { describe, expect, it } from 'vitest';
import { planAggregation } from '../budget/index.js';
import { confirmVector, encodeExact, vectorShape } from '../model-vector/index.js';
import { parsePlan } from '../plan/index.js';
import type { SumKind } from '../statements/index.js';
import { initialState, type OpenedSum, readSum } from './index.js';

const plan = parsePlan({
  schema: 1,
  plan: 'p',
  sample: { of: ['ph'], summarise: ['last'] },
  target: { variable: 'product_concentration' },
  normalisation: 'none',
  model: { kind: 'linear' },
  training: { initialRange: 1 },
});
const parameters = planAggregation({ sites: 3, keyHolders: 3, threshold: 3, set: 'INSECURE_TEST_1024' });
const sites = ['a', 'b', 'c'];
const statistics = { exact: [60n], addends: 3 };
const e = 'e'.repeat(64);

function opened(kind: SumKind, values: Record<string, number>, packed = new Uint32Array(vectorShape(plan, kind).packed)): OpenedSum {
  const coefficients = packVector(vectorShape(plan, kind), parameters, packed, encodeExact(plan, kind, values));
  return { plan, kind, ordinal: 1, sites, parameters, addends: 3, confirms: undefined, state: undefined, coefficients };
}

describe('a sum', () => {
  it('of statistics means the first state of the run', () => {
    const next = initialState(plan, { ordinal: 1, siteIds: sites, statistics });
    expect(readSum(opened('statistics', { count: 60 }))).toEqual({ ok: true, next, metrics: undefined, trainLoss: undefined });
  });

  it('of updates means the next state, with error and loss of the round', () => {
    const state = initialState(plan, { ordinal: 1, siteIds: sites, statistics });
    const values = { weight: 60, holdoutCount: 4, holdoutSumSquaredError: 36, trainLossSum: 15 };
    const middle = new Uint32Array(2).fill(3 * 2 ** (parameters.valueBits - 1));
    const sum = opened('update', values);
    // Sums of three sites have digits that no single site could send.
    const digits = BigInt(parameters.digitBits);
    sum.coefficients[0] = BigInt(middle[0]!) + (BigInt(middle[1]!) << digits);
    expect(readSum({ ...sum, state })).toMatchObject({
      ok: true,
      next: { round: 1 },
      metrics: { rmse: 3, holdoutCount: 4 },
      trainLoss: 0.25,
    });
    expect(() => readSum(sum)).toThrow('a sum of this kind needs a model');
    expect(() => readSum({ ...sum, state, addends: 1 })).toThrow(/Digit sum 0 is \d+; 1 addends reach at most/);
  });

  it('of holdout errors has none where nobody has holdout rows', () => {
    expect(readSum(opened('evaluate', { holdoutCount: 0, holdoutSumSquaredError: 0 }))).toMatchObject({
      metrics: { rmse: null, holdoutCount: 0 },
      next: undefined,
    });
  });

  it("of a confirmation must be its site's public vector", () => {
    const { packed, exact } = confirmVector(e, 'b', parameters.valueBits);
    const coefficients = packVector(vectorShape(plan, 'confirm'), parameters, packed, exact);
    const sum = {
      ...opened('evaluate', { holdoutCount: 0, holdoutSumSquaredError: 0 }),
      kind: 'confirm' as const,
      addends: 1,
      coefficients,
    };
    expect(readSum({ ...sum, confirms: { site: 'b', e } })).toMatchObject({ ok: true, next: undefined });
    expect(readSum({ ...sum, confirms: { site: 'a', e } })).toEqual({ ok: false });
    expect(readSum({ ...sum, confirms: { site: 'b', e: 'f'.repeat(64) } })).toEqual({ ok: false });
  });
});
