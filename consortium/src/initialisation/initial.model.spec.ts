import { describe, expect, it } from 'vitest';
import { describeModel, modelDigest } from '../model-vector/index.js';
import { parsePlan } from '../plan/index.js';
import { initialModel } from './index.js';

const plan = (seed = 7) =>
  parsePlan({
    schema: 1,
    plan: 'p',
    sample: { of: ['ph', 'temperature'] },
    target: { variable: 'product_concentration' },
    model: { kind: 'mlp', hidden: [16] },
    seed,
  });

describe('the first model of a run', () => {
  it('is the one it has always been', () => {
    // Golden: agents of different versions must start from the same weights.
    expect(modelDigest(describeModel(plan()), initialModel(plan(), 1, ['a', 'b', 'c']))).toBe(
      '37f3335109523ff84a1edb01b30274dabc5937150b3ce869af4864560784d01b',
    );
  });

  it('does not depend on the order in which sites are named', () => {
    expect(initialModel(plan(), 1, ['c', 'a', 'b'])).toEqual(initialModel(plan(), 1, ['a', 'b', 'c']));
  });

  it('differs with plan, ordinal and sites', () => {
    const models = [
      initialModel(plan(), 1, ['a', 'b', 'c']),
      initialModel(plan(8), 1, ['a', 'b', 'c']),
      initialModel(plan(), 2, ['a', 'b', 'c']),
      initialModel(plan(), 1, ['a', 'b', 'd']),
      initialModel(plan(), 1, ['a', 'bc']),
    ];
    expect(new Set(models.map((model) => model.join())).size).toBe(models.length);
  });

  it('spreads kernels over the Glorot interval and leaves biases at zero', () => {
    const { tensors } = describeModel(plan());
    const model = initialModel(plan(), 1, ['a']);
    const kernel = model.subarray(0, tensors[0]!.size);
    const limit = Math.sqrt(6 / (6 + 16));
    expect(Math.max(...kernel)).toBeGreaterThan(limit * 0.8);
    expect(Math.max(...kernel.map(Math.abs))).toBeLessThanOrEqual(limit);
    expect(Math.min(...kernel)).toBeLessThan(-limit * 0.8);
    expect([...model.subarray(96, 112)].every((value) => value === 0)).toBe(true);
    expect(model.every((value) => Math.fround(value) === value)).toBe(true);
  });
});
