import type { DsseEnvelope } from '@coferment/crypto';
import type { ObjectPurpose, PollRequest, PollResponse } from '@coferment/proto';
import type { StoredObject } from './object.cache.js';

/** Stored at this site before its first byte leaves, so that every resend is the same bytes. */
export interface OutgoingObject extends StoredObject {
  purpose: ObjectPurpose;
  run: string;
}

/** One entry of the ledger and the statement that it names by hash, as the coordinator gives them. */
export interface LoggedEntry {
  index: number;
  entry: Uint8Array;
  payload: Uint8Array;
}

/** Where the coordinator says that a statement is in the log. Nothing about it is checked. */
export interface LoggedProof {
  index: number;
  entry: Uint8Array;
  inclusionProof: Uint8Array[];
  /** Empty while too few witnesses have cosigned one that covers the entry. */
  checkpoint: string;
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
  /**
   * `length` bytes of an object. What they should be the caller must know: the digest of the whole says nothing about a part.
   * @throws AgentError 'object-mismatch' for another number of bytes
   */
  downloadPart(digest: string, offset: number, length: number): Promise<Uint8Array>;
  /** What the coordinator says are the digests of the `blocks` blocks of an object. @throws AgentError 'object-mismatch' for another number of them */
  blockDigests(digest: string, blocks: number): Promise<Uint8Array[]>;
  /** At most `limit` entries from `start` on; fewer only at the end. Nothing about them is checked. */
  ledgerEntries(start: number, limit: number): Promise<LoggedEntry[]>;
  /** @param digest SHA-256 of a signed statement, hex */
  receipt(digest: string): Promise<LoggedProof>;
}
