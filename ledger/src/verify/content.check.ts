import type { Evidence, Recorded } from './evidence.js';
import type { Finding } from './verification.report.js';

/** Looks at the statements of a ledger one after the other and trusts nothing that another check found. */
export interface ContentCheck {
  /** @param evidence what stands before this statement in the log, without it */
  follow(recorded: Recorded, evidence: Evidence): void;
  /** After the last statement. */
  finish(): Finding;
}
