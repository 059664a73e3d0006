export * from './address/index.js';
export {
  type AggregationChoice,
  type AggregationExplanation,
  type BudgetStep,
  budgetSteps,
  ConsortiumBudgetError,
  type ConsortiumBudgetErrorCode,
  explainAggregation,
  type LatticeSecurity,
  latticeSecurity,
  MAX_BLOCKS_PER_EPOCH,
  packingAlternatives,
  planAggregation,
  quorumNumbers,
  requirePlannedAggregation,
} from './budget/index.js';
export * from './certificates/index.js';
export * from './context/index.js';
export * from './errors/index.js';
export * from './initialisation/index.js';
export * from './invite/index.js';
export * from './lifecycle/index.js';
export * from './model-vector/index.js';
export * from './plan/index.js';
export * from './ranges/index.js';
export * from './roster/index.js';
export * from './statements/index.js';
export * from './strategy/index.js';
