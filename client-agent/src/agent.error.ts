/** Everything for which an agent stops or refuses. Closed: the command line maps each code to an exit code, screens to a text. */
export type AgentErrorCode =
  | 'not-joined'
  | 'already-joined'
  | 'invite-exposed'
  | 'not-admitted'
  | 'left'
  | 'in-runs'
  | 'not-a-site'
  | 'no-pseudonym'
  | 'folder-locked'
  | 'missing-passphrase'
  | 'wrong-passphrase'
  | 'file-mode'
  | 'file-exists'
  | 'backup-damaged'
  | 'store-damaged'
  | 'journal-damaged'
  | 'journal-version'
  | 'unreachable'
  | 'proxy-malformed'
  | 'coordinator-refused'
  | 'version-mismatch'
  | 'clock-off'
  | 'certificate-refused'
  | 'malformed-response'
  | 'authorities-refused'
  | 'malformed-instruction'
  | 'object-mismatch'
  | 'plan-malformed'
  | 'run-misnamed'
  | 'run-changed'
  | 'too-many-runs'
  | 'sites-unordered'
  | 'not-a-member'
  | 'ordinal-not-growing'
  | 'fingerprint-malformed'
  | 'roster-sites'
  | 'roster-own-key'
  | 'roster-rules'
  | 'roster-left-out'
  | 'roster-identity'
  | 'roster-first-sum'
  | 'roster-changed'
  | 'epoch-not-growing'
  | 'epoch-over'
  | 'epoch-changed'
  | 'dealing-refused'
  | 'not-a-holder'
  | 'wrong-site'
  | 'wrong-kind'
  | 'wrong-round'
  | 'sum-beyond-maximum'
  | 'attempt-beyond-maximum'
  | 'list-too-short'
  | 'confirm-list'
  | 'upload-format'
  | 'vector-length'
  | 'attested-apart'
  | 'shares-short'
  | 'other-aggregate'
  | 'other-certificate'
  | 'other-shares'
  | 'other-closing'
  | 'not-approved'
  | 'plan-rejected'
  | 'consent-withdrawn'
  | 'policy-refused'
  | 'policy-invalid'
  | 'policy-missing'
  | 'not-announced'
  | 'set-changed'
  | 'set-unapproved'
  | 'set-rejected'
  | 'other-proposal'
  | 'proposal-unknown'
  | 'proposal-decided'
  | 'too-many-proposals'
  | 'sum-changed'
  | 'pair-not-growing'
  | 'vector-spent'
  | 'weight-drowned'
  | 'block-limit'
  | 'epoch-dead'
  | 'checkpoint-refused'
  | 'log-split'
  | 'evidence-unknown'
  | 'run-closed'
  | 'not-built-yet'
  | 'model-mismatch'
  | 'model-malformed'
  | 'sum-unverified'
  | 'out-of-order'
  | 'no-model'
  | 'missing-file'
  | 'metrics-address'
  | 'receipt-refused'
  | 'no-receipt';

/**
 * Something this site will not or cannot do. The message says what happened, with the offending value, and what to do next;
 * nothing has been signed or sent when it is thrown.
 */
export class AgentError extends Error {
  override readonly name = 'AgentError';

  constructor(
    readonly code: AgentErrorCode,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

/** The code and text of any failure, for logs, refusals and `--json` output. */
export function describeFailure(error: unknown): { code: string; message: string } {
  if (!(error instanceof Error)) return { code: 'unexpected', message: String(error) };
  const code = 'code' in error && typeof error.code === 'string' ? error.code : 'unexpected';
  return { code, message: error.message };
}
