export {
  type CountingFreeze,
  type FrozenBy,
  type JudgedReceipt,
  type OpenedFact,
  type ReceiptTrust,
  type ReceiptVerdict,
  freezeOf,
  isContribution,
  judgeContribution,
  witnessProblems,
  witnessesOf,
} from './contribution.receipt.js';
export { type OpeningFile, commitmentFields, opens, parseOpeningFile } from './opening.file.js';
export { type ProvenStatement, proveStatement } from './proven.statement.js';
export { type SigstoreBundle, contentOf, formatBundle, parseBundle, sigstoreLogId, verifyBundle } from './sigstore.bundle.js';
export {
  type EntryProof,
  type ReadTlogProof,
  TLOG_PROOF_HEADER,
  type TlogProof,
  formatTlogProof,
  parseEntryProof,
  parseTlogProof,
  verifyTlogProof,
} from './tlog.proof.js';
