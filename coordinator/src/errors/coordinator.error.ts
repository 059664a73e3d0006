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
  | 'version-mismatch'
  | 'clock-off'
  | 'unknown-plan'
  | 'unknown-run'
  | 'unknown-object'
  | 'run-over'
  | 'not-owed'
  | 'not-completed'
  | 'already-different'
  | 'no-new-epoch'
  | 'set-fixed'
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
  | 'internal';

/** A refusal. Nothing was changed when it is thrown. The message says what happened, with the value, and what to do next. */
export class CoordinatorError extends Error {
  override readonly name = 'CoordinatorError';

  constructor(
    readonly code: CoordinatorErrorCode,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}
