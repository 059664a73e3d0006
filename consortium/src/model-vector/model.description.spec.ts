import { describe, expect, it } from 'vitest';
import { parsePlan } from '../plan/index.js';
import { checkModel, describeModel, modelBytes, modelDigest, modelFromBytes } from './index.js';

const plan = (model: object) =>
  parsePlan({
    schema: 1,
    plan: 'p',
    sample: { of: ['ph'] },
    target: { variable: 'product_concentration' },
    features: ['time_since_phase'],
    model,
  });

const linear = describeModel(plan({ kind: 'linear' }));

describe('values that are no model', () => {
  it('are refused by length, and by what float32 cannot hold', () => {
    expect(() => checkModel(linear, new Float64Array(4))).toThrow(/5 values, not 4/);
    expect(() => checkModel(linear, Float64Array.of(0, 0, 0, 0.1, 0))).toThrow(/value 3 of the model is 0.1/);
    expect(() => checkModel(linear, Float64Array.of(0, NaN, 0, 0, 0))).toThrow(/value 1 of the model is NaN/);
    expect(() => modelDigest(linear, Float64Array.of(Infinity, 0, 0, 0, 0))).toThrow(/Infinity/);
    expect(() => modelFromBytes(linear, new Uint8Array(39))).toThrow(/40 bytes, not 39/);
  });
});

describe('a model', () => {
  it('that is linear has one kernel and one bias', () => {
    expect(linear).toMatchObject({ inputs: 4, outputs: 1, parameters: 5 });
    expect(linear.tensors).toEqual([
      { name: 'output/kernel', shape: [4, 1], size: 4, init: 'glorot-uniform' },
      { name: 'output/bias', shape: [1], size: 1, init: 'zeros' },
    ]);
  });

  it('that is an MLP has a layer more than it declares', () => {
    const mlp = describeModel(plan({ kind: 'mlp', hidden: [3, 2], activation: 'tanh' }));
    expect(mlp.layers.map(({ units, activation }) => [units, activation])).toEqual([
      [3, 'tanh'],
      [2, 'tanh'],
      [1, 'linear'],
    ]);
    expect(mlp.tensors.map((tensor) => tensor.shape)).toEqual([[4, 3], [3], [3, 2], [2], [2, 1], [1]]);
    expect(mlp.parameters).toBe(12 + 3 + 6 + 2 + 2 + 1);
  });

  it('travels as little-endian float64 and comes back the same', () => {
    const values = Float64Array.of(1, -2.5, 0, Math.fround(0.1), -0);
    const bytes = modelBytes(values);
    expect([...bytes.subarray(0, 8)]).toEqual([0, 0, 0, 0, 0, 0, 0xf0, 0x3f]);
    expect(modelFromBytes(linear, bytes)).toEqual(values);
  });

  it('has a name that covers values and tensors', () => {
    const values = new Float64Array(5);
    const other = Float64Array.of(0, 0, 0, 0, 1);
    const renamed = { ...linear, tensors: linear.tensors.map((tensor) => ({ ...tensor, name: `${tensor.name}2` })) };
    const names = [modelDigest(linear, values), modelDigest(linear, other), modelDigest(renamed, values)];
    expect(new Set(names).size).toBe(3);
  });
});
