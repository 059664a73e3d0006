export { DURATION_FORM, formatDuration, hours, type Milliseconds, parseDuration } from './duration.value.js';
export {
  type FeatureColumn,
  featureColumns,
  featureNames,
  type FeatureRange,
  featureRanges,
  targetRange,
  variableRange,
} from './feature.columns.js';
export { planBytes, planDigest } from './plan.digest.js';
export { parsePlan } from './plan.parser.js';
export { PHASES, type Plan, SUMMARIES } from './plan.schema.js';
export { resolveQuorum } from './quorum.rule.js';
export { findVariable, type Variable, VARIABLES } from './variables.js';
