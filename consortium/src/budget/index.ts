export { planAggregation, requirePlannedAggregation, type AggregationChoice } from './aggregation.budget.js';
export { explainAggregation, MAX_BLOCKS_PER_EPOCH, type AggregationExplanation, type AggregationLoad } from './aggregation.explanation.js';
export { ConsortiumBudgetError, type ConsortiumBudgetErrorCode } from './budget.error.js';
export { MAX_SITES, quorumNumbers, type QuorumChoice, type QuorumNumbers } from './quorum.numbers.js';
