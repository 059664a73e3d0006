export { type RecomputeOptions, recomputeExport } from './ledger.recomputation.js';
export type { MissingObject, RecomputationReport, SumRecomputation } from './recomputation.report.js';
export type { SumChoice } from './sum.choice.js';
