export { planAggregation, requirePlannedAggregation, type AggregationChoice } from './aggregation.budget.js';
export { explainAggregation, MAX_BLOCKS_PER_EPOCH, type AggregationExplanation, type AggregationLoad } from './aggregation.explanation.js';
export { budgetSteps, type BudgetStep } from './budget.steps.js';
export { latticeSecurity, type LatticeSecurity } from './lattice.security.js';
export { packingAlternatives, type PackingChoice } from './packing.choice.js';
export { ConsortiumBudgetError, type ConsortiumBudgetErrorCode } from './budget.error.js';
export { MAX_SITES, quorumNumbers, type QuorumChoice, type QuorumNumbers } from './quorum.numbers.js';
