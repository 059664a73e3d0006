import type { DsseEnvelope } from '@coferment/crypto';
import type { ObjectPurpose, PollRequest, PollResponse } from '@coferment/proto';

export interface OutgoingObject {
  digest: string;
  bytes: Uint8Array;
  purpose: ObjectPurpose;
  run: string;
}

/** What the work of a site needs of the coordinator. Everything that leaves the site passes through these calls. */
export interface CoordinatorPort {
  poll(request: PollRequest, signal: AbortSignal): Promise<PollResponse>;
  submitStatement(envelope: DsseEnvelope): Promise<void>;
  submitNonce(envelope: DsseEnvelope): Promise<void>;
  submitShare(envelope: DsseEnvelope): Promise<void>;
  upload(object: OutgoingObject): Promise<void>;
  /** Bytes whose SHA-256 is `digest`. @throws AgentError 'object-mismatch' for other bytes or more than `maxBytes`. */
  download(digest: string, maxBytes: number): Promise<Uint8Array>;
}
