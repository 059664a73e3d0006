import { describe, expect, it } from 'vitest';
import { inputContext } from '../context/index.js';
import { parsePlan } from '../plan/index.js';
import { initialState, type StrategyState, sumInput } from './index.js';

const plan = parsePlan({
  schema: 1,
  plan: 'p',
  sample: { of: ['ph'], summarise: ['last', 'mean'] },
  target: { variable: 'product_concentration' },
  normalisation: 'none',
  model: { kind: 'linear' },
});
const state = initialState(plan, { ordinal: 1, siteIds: ['a', 'b', 'c'], statistics: { exact: [60n], addends: 3 } });
const contextOf = (of: StrategyState | null, kind: 'update' | 'evaluate' | 'statistics' = 'update') =>
  inputContext(sumInput(plan, kind, of));

/** One change of each number that a state holds, wherever it stands. `round` counts; the model's digest already tells rounds apart. */
const changes: Record<Exclude<keyof StrategyState, 'round'>, StrategyState[]> = {
  model: [{ ...state, model: state.model.map((value, index) => (index === 0 ? 0.5 : value)) }],
  ranges: [
    { ...state, ranges: { ...state.ranges, floor: state.ranges.floor * 2 } },
    { ...state, ranges: { ...state.ranges, perTensor: state.ranges.perTensor.map((range, index) => (index === 0 ? range * 2 : range)) } },
  ],
  weightCap: [{ ...state, weightCap: state.weightCap * 2 }],
  normalisation: [
    { ...state, normalisation: { ...state.normalisation, count: 61 } },
    { ...state, normalisation: { ...state.normalisation, targetMean: 1 } },
    { ...state, normalisation: { ...state.normalisation, targetStd: 2 } },
    { ...state, normalisation: { ...state.normalisation, mean: state.normalisation.mean.map(() => 1) } },
    { ...state, normalisation: { ...state.normalisation, std: state.normalisation.std.map(() => 2) } },
  ],
};

describe('I', () => {
  it.each(Object.entries(changes))('is another one for a site that was led to another %s', (_, changed) => {
    for (const other of changed) expect(contextOf(other)).not.toBe(contextOf(state));
  });
  it('is bound to every field of the state', () => {
    expect(Object.keys(changes).toSorted()).toEqual(
      Object.keys(state)
        .filter((field) => field !== 'round')
        .toSorted(),
    );
  });
  it('covers the normalisation of an evaluation too', () => {
    for (const other of changes.normalisation) expect(contextOf(other, 'evaluate')).not.toBe(contextOf(state, 'evaluate'));
  });
  it('differs by kind', () => {
    expect(new Set([contextOf(state), contextOf(state, 'evaluate'), contextOf(null, 'statistics')]).size).toBe(3);
  });
});
