export { type Summary, summarySchema } from './summary/summary.schema.js';
