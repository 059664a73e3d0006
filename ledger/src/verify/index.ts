export type { Recorded } from './evidence.js';
export { type VerifyOptions, verifyExport } from './export.verification.js';
export { objectsOf } from './structure.check.js';
export {
  type CheckId,
  type CheckOutcome,
  type CheckProblem,
  type CheckResult,
  type LogSummary,
  type RunTotals,
  type VerificationReport,
  type Verdict,
  checkTitles,
} from './verification.report.js';
