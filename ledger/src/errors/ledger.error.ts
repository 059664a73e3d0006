/** Every way in which ledger material can be refused. Closed: edges map each code to a gRPC status and a text. */
export type LedgerErrorCode =
  | 'malformed-hash'
  | 'malformed-note'
  | 'malformed-key'
  | 'malformed-checkpoint'
  | 'malformed-entry'
  | 'malformed-tile'
  | 'malformed-receipt'
  | 'malformed-policy'
  | 'malformed-evidence'
  | 'ambiguous-key'
  | 'bad-signature'
  | 'no-known-signature'
  | 'payload-mismatch'
  | 'root-mismatch'
  | 'entry-too-large'
  | 'out-of-range'
  | 'missing-resource';

/** Ledger material was refused. The message names the offending value and what to do next. */
export class LedgerError extends Error {
  override readonly name = 'LedgerError';

  constructor(
    readonly code: LedgerErrorCode,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}
