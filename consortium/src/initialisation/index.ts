export { initialModel } from './initial.model.js';
export {
  type Normalisation,
  normalisationDigest,
  normalisationFromStatistics,
  rowCapFrom,
  type StatisticsSum,
  weightCapFrom,
} from './statistics.rule.js';
