export type { Recorded } from './evidence.js';
export { type VerifyOptions, verifyExport } from './export.verification.js';
export type { EarlierCheckpoint } from './earlier.check.js';
export { objectsOf } from './stored.objects.js';
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
