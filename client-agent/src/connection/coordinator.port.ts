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

/** A checkpoint to be cosigned, as it came: nothing about it is checked. */
export interface OfferedCheckpoint {
  /** A C2SP signed note. */
  note: string;
  /** That it begins with the entries which were cosigned last (RFC 9162), 32 bytes each; empty when there are none. */
  proof: readonly Uint8Array[];
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
  /**
   * The checkpoint that is to be cosigned next; undefined when there was none for `waitMs`.
   * @param oldSize entries of the last one that this site has cosigned; 0 for none
   */
  awaitCheckpoint(oldSize: number, waitMs: number, signal: AbortSignal): Promise<OfferedCheckpoint | undefined>;
  /** The newest checkpoint that the log has signed, a C2SP signed note. Nothing about it is checked. */
  newestCheckpoint(): Promise<string>;
  /** @param note a checkpoint with the cosignature of this site as its last line */
  addCosignature(note: string): Promise<void>;
  /** That the first `newSize` entries begin with the first `oldSize` (RFC 9162). Nothing about it is checked. */
  consistencyProof(oldSize: number, newSize: number): Promise<Uint8Array[]>;
}
