/**
 * Refusals of the aggregation protocol (secure-aggregation.md §2 and §3), one code for each thing that a member can be asked to believe wrongly. Whoever reads
 * one of these in a log knows which rule was broken, and a test triggers every one of them.
 */
export const protocolRefusals = [
  /** An act of one kind stands where another belongs. */
  'wrong-act',
  /** A signature is for another consortium, run, epoch, kind or number of sum. */
  'other-position',
  'other-attempt',
  'not-in-epoch',
  'not-a-holder',
  /** A dealing without exactly one commitment and one box for each key holder, in order. */
  'dealing-incomplete',
  'dealings-incomplete',
  'other-dealing',
  'acknowledgement-missing',
  'list-unordered',
  'nonce-doubled',
  'own-nonce-absent',
  'own-nonce-changed',
  'counted-unlisted',
  /** Signed under another K. */
  'other-k',
  'set-unordered',
  'set-too-small',
  'confirm-set',
  'attested-twice',
  /** Signed over another T, set or model. */
  'other-freeze',
  'certificate-short',
  /** Another set is proposed for another consortium, run, kind or model, or is not the one that was frozen. */
  'other-proposal',
  /** It does not ask everybody whom it must ask. */
  'approvers-short',
  'approval-missing',
  'approved-twice',
  'not-an-approver',
  /** An approval of another proposal, or of other sets. */
  'other-approval',
] as const;
export type ProtocolRefusal = (typeof protocolRefusals)[number];

export function isProtocolRefusal(code: ConsortiumErrorCode): code is ProtocolRefusal {
  return (protocolRefusals as readonly ConsortiumErrorCode[]).includes(code);
}

/** Every way in which the consortium's shared rules can refuse something. Closed: edges map each code to a gRPC status and a text. */
export type ConsortiumErrorCode =
  | ProtocolRefusal
  | 'invalid-plan'
  | 'not-built-yet'
  | 'impossible-quorum'
  | 'invalid-statement'
  | 'invalid-roster'
  | 'invalid-invite'
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
