export { initialModel } from './initial.model.js';
export { type Normalisation, normalisationFromStatistics, rowCapFrom, type StatisticsSum, weightCapFrom } from './statistics.rule.js';
