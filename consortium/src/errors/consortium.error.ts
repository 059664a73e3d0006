/** Every way in which the consortium's shared rules can refuse something. Closed: edges map each code to a gRPC status and a text. */
export type ConsortiumErrorCode =
  | 'invalid-plan'
  | 'not-built-yet'
  | 'impossible-quorum'
  | 'invalid-statement'
  | 'invalid-roster'
  | 'invalid-invite'
  | 'context-mismatch'
  | 'illegal-transition'
  | 'wrong-length'
  | 'out-of-range';

/**
 * A rule that all members share was broken. Nothing has been changed when it is thrown: everything in this package is pure.
 * The message says what happened, with the offending value, and what to do next.
 */
export class ConsortiumError extends Error {
  override readonly name = 'ConsortiumError';

  constructor(
    readonly code: ConsortiumErrorCode,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}
