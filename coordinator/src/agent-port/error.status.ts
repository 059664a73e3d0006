import { ConsortiumError, ConsortiumBudgetError, isProtocolRefusal, protocolRefusals, type ProtocolRefusal } from '@coferment/consortium';
import { CryptoError } from '@coferment/crypto';
import { Metadata, type StatusObject, status } from '@grpc/grpc-js';
import { CoordinatorError, type CoordinatorErrorCode, storageRefusal } from '../errors/index.js';

/** Trailing metadata with the closed code; the text is in the status's details. */
export const CODE_KEY = 'coferment-code';
/** Trailing metadata with whole milliseconds, where the same call may be made again after them. */
export const RETRY_AFTER_KEY = 'coferment-retry-after-ms';

/** A rule that all members share was broken: the same code for whoever broke it, at every member. */
const PROTOCOL_STATUS = Object.fromEntries(protocolRefusals.map((code) => [code, status.FAILED_PRECONDITION])) as Record<
  ProtocolRefusal,
  status
>;

const STATUS_OF: Readonly<Record<CoordinatorErrorCode, status>> = {
  unauthenticated: status.UNAUTHENTICATED,
  forbidden: status.PERMISSION_DENIED,
  'unknown-site': status.NOT_FOUND,
  'site-revoked': status.PERMISSION_DENIED,
  'site-left': status.PERMISSION_DENIED,
  'not-pending': status.FAILED_PRECONDITION,
  'other-identity': status.FAILED_PRECONDITION,
  'in-runs': status.FAILED_PRECONDITION,
  'invite-unknown': status.PERMISSION_DENIED,
  'invite-used': status.PERMISSION_DENIED,
  'invite-expired': status.PERMISSION_DENIED,
  'identity-taken': status.ALREADY_EXISTS,
  'renewal-replayed': status.PERMISSION_DENIED,
  'overlap-open': status.FAILED_PRECONDITION,
  'no-overlap': status.FAILED_PRECONDITION,
  'sites-behind': status.FAILED_PRECONDITION,
  'replicas-running': status.FAILED_PRECONDITION,
  'bad-signature': status.PERMISSION_DENIED,
  malformed: status.INVALID_ARGUMENT,
  'too-large': status.RESOURCE_EXHAUSTED,
  'too-many': status.RESOURCE_EXHAUSTED,
  'version-mismatch': status.FAILED_PRECONDITION,
  'clock-off': status.FAILED_PRECONDITION,
  'unknown-plan': status.NOT_FOUND,
  'unknown-run': status.NOT_FOUND,
  'unknown-object': status.NOT_FOUND,
  'run-over': status.FAILED_PRECONDITION,
  'not-owed': status.FAILED_PRECONDITION,
  'not-completed': status.FAILED_PRECONDITION,
  'wrong-state': status.FAILED_PRECONDITION,
  'not-set-aside': status.FAILED_PRECONDITION,
  'already-different': status.ALREADY_EXISTS,
  'no-new-epoch': status.FAILED_PRECONDITION,
  'set-fixed': status.FAILED_PRECONDITION,
  'no-new-set': status.FAILED_PRECONDITION,
  ...PROTOCOL_STATUS,
  'other-consortium': status.FAILED_PRECONDITION,
  'other-launch': status.FAILED_PRECONDITION,
  'other-epoch': status.FAILED_PRECONDITION,
  'other-input': status.FAILED_PRECONDITION,
  'upload-format': status.FAILED_PRECONDITION,
  'wrong-size': status.INVALID_ARGUMENT,
  'wrong-offset': status.FAILED_PRECONDITION,
  'wrong-digest': status.INVALID_ARGUMENT,
  'invalid-plan': status.INVALID_ARGUMENT,
  'impossible-quorum': status.INVALID_ARGUMENT,
  'folder-locked': status.UNAVAILABLE,
  'folder-unusable': status.INTERNAL,
  'wrong-passphrase': status.INTERNAL,
  'missing-passphrase': status.INTERNAL,
  'file-mode': status.INTERNAL,
  'file-exists': status.INTERNAL,
  'backup-damaged': status.INTERNAL,
  'log-forked': status.INTERNAL,
  'ledger-damaged': status.INTERNAL,
  unreachable: status.UNAVAILABLE,
  // Faults that pass: agents try again, and so do other clients of gRPC.
  unavailable: status.UNAVAILABLE,
  'storage-full': status.UNAVAILABLE,
  'storage-failed': status.UNAVAILABLE,
  stopping: status.UNAVAILABLE,
  internal: status.INTERNAL,
};

/** The refusal that a caller gets for any error. Faults of the coordinator itself say nothing of their cause: that is in the log. */
export function refusalOf(error: unknown): CoordinatorError {
  if (error instanceof CoordinatorError) return error;
  const outside = storageRefusal(error);
  if (outside !== undefined) return outside;
  // The caller hung up, or sent what gRPC cannot read: nobody's fault here, and nobody may be left to tell.
  if (error instanceof Error && 'code' in error && error.code === 'ERR_STREAM_PREMATURE_CLOSE')
    return new CoordinatorError('unreachable', 'The call ended before all of it had arrived. What came is kept: resume where it stopped.');
  if (error instanceof ConsortiumError) {
    if (isProtocolRefusal(error.code)) return new CoordinatorError(error.code, error.message);
    switch (error.code) {
      case 'invalid-plan':
      case 'not-built-yet':
        return new CoordinatorError('invalid-plan', error.message);
      case 'impossible-quorum':
        return new CoordinatorError('impossible-quorum', error.message);
      case 'invalid-statement':
      case 'invalid-roster':
      case 'invalid-invite':
      case 'illegal-transition':
      case 'wrong-length':
      case 'out-of-range':
        return new CoordinatorError('malformed', error.message);
    }
  }
  if (error instanceof ConsortiumBudgetError) return new CoordinatorError('impossible-quorum', error.message);
  if (error instanceof CryptoError) {
    const signature = error.code === 'bad-signature' || error.code === 'wrong-key';
    return new CoordinatorError(signature ? 'bad-signature' : 'malformed', error.message);
  }
  return new CoordinatorError(
    'internal',
    'The coordinator failed; the cause is in its log. Try again, and tell the operator if it happens twice.',
  );
}

/** Texts quote what callers sent, and lie in a header, which is short: grpc-js throws, outside any handler, at half of a surrogate pair. */
const LONGEST_TEXT = 2000;

export function statusOf(refusal: CoordinatorError): StatusObject {
  const metadata = new Metadata();
  metadata.set(CODE_KEY, refusal.code);
  if (refusal.retryAfterMs !== undefined) metadata.set(RETRY_AFTER_KEY, String(refusal.retryAfterMs));
  return { code: STATUS_OF[refusal.code], details: refusal.message.slice(0, LONGEST_TEXT).toWellFormed(), metadata };
}
