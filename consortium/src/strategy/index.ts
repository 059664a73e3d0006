export { effectiveBits, type UpdateBits, updateBits } from './effective-bits.rule.js';
export { applySum, initialState, type StrategyState, type UpdateSum } from './fedavg.strategy.js';
export { shouldStop } from './stopping.rule.js';
export { type NamedState, namedSumInput, sumInput } from './sum.input.js';
export { type Metrics, type OpenedSum, readSum, type SumMeaning } from './sum.meaning.js';
export { contributionWeight, weightRule } from './weight.rule.js';
