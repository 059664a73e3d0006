export { backendInUse, type BackendInUse, type BackendName, engineVersion, initBackend } from './backend/tensorflow.backend.js';
export {
  type BatchUse,
  buildDataset,
  type ColumnSpread,
  columnSpreads,
  concatenateRows,
  type Dataset,
  type Rows,
} from './dataset/dataset.builder.js';
export { localStatistics } from './dataset/statistics.rule.js';
export { LearningError, type LearningErrorCode } from './errors/learning.error.js';
export { EXPORTED_FILES, exportLayersModel } from './export/layers-model.export.js';
export { evaluateModel, type Metrics, predictRows } from './model/evaluation.js';
export { type LocalTraining, type LocalUpdate, trainLocal } from './training/local.training.js';
export { type PredictionInputs, predictionInputs } from './windows/batch.rows.js';
export { checkBatches } from './windows/site-batch.check.js';
export type { BatchScale, OfflineSample, Series, SiteBatch } from './windows/site-batch.js';
