import type { ProtocolRefusal } from '@coferment/consortium';

/** Every reason for which the coordinator refuses a call. Closed: the agents' port maps each to a gRPC status. */
export type CoordinatorErrorCode =
  | 'unauthenticated'
  | 'forbidden'
  | 'unknown-site'
  | 'site-revoked'
  | 'site-left'
  | 'not-pending'
  | 'other-identity'
  | 'in-runs'
  | 'invite-unknown'
  | 'invite-used'
  | 'invite-expired'
  | 'identity-taken'
  | 'renewal-replayed'
  | 'overlap-open'
  | 'no-overlap'
  | 'sites-behind'
  | 'replicas-running'
  | 'bad-signature'
  | 'malformed'
  | 'too-large'
  | 'too-many'
  | 'version-mismatch'
  | 'clock-off'
  | 'unknown-plan'
  | 'unknown-run'
  | 'unknown-object'
  | 'run-over'
  | 'not-owed'
  | 'not-completed'
  | 'wrong-state'
  | 'not-set-aside'
  | 'already-different'
  | 'no-new-epoch'
  | 'set-fixed'
  | 'no-new-set'
  | ProtocolRefusal
  | 'other-consortium'
  | 'other-launch'
  | 'other-epoch'
  | 'other-input'
  | 'upload-format'
  | 'wrong-size'
  | 'wrong-offset'
  | 'wrong-digest'
  | 'invalid-plan'
  | 'impossible-quorum'
  | 'folder-locked'
  | 'folder-unusable'
  | 'wrong-passphrase'
  | 'missing-passphrase'
  | 'file-mode'
  | 'file-exists'
  | 'backup-damaged'
  | 'log-forked'
  | 'ledger-damaged'
  | 'unreachable'
  | 'unavailable'
  | 'storage-full'
  | 'storage-failed'
  | 'stopping'
  | 'internal';

/** A refusal. Nothing was changed when it is thrown. The message says what happened, with the value, and what to do next. */
export class CoordinatorError extends Error {
  override readonly name = 'CoordinatorError';
  /** After how long the same call may be made again; undefined where that would not help. */
  readonly retryAfterMs: number | undefined;

  constructor(
    readonly code: CoordinatorErrorCode,
    message: string,
    { retryAfterMs, ...options }: ErrorOptions & { retryAfterMs?: number } = {},
  ) {
    super(message, options);
    this.retryAfterMs = retryAfterMs;
  }
}

/** For every call and transaction that comes while the coordinator stops. */
export function stoppingRefusal(): CoordinatorError {
  return new CoordinatorError('stopping', 'The coordinator is stopping. Try again: it comes back, or another one takes over.');
}
