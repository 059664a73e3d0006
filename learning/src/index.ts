export { LearningError, type LearningErrorCode } from './errors/learning.error.js';
export type { BatchScale, OfflineSample, Series, SiteBatch } from './windows/site-batch.js';
