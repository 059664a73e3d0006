import { peekStatement } from '@coferment/consortium';
import { type DsseEnvelope, sha256Hex } from '@coferment/crypto';
import { ObjectPurpose, PollRequest, type PollResponse } from '@coferment/proto';
import { describeFailure } from '../agent.error.js';
import type { CoordinatorPort, LoggedEntry, LoggedProof, OfferedCheckpoint, OutgoingObject } from './coordinator.port.js';

export interface SentItem {
  name: string;
  run: string;
  bytes: number;
  digest: string;
}

/** Told of what was fetched, by class: bytes of objects, block digests and ledger entries. */
export type NoteReceived = (kind: 'object' | 'block-digests' | 'ledger-entries', bytes: number) => void;

/** Writes down how the coordinator took what was sent: `accepted`, or the code of its refusal. */
export type NoteOutcome = (outcome: string) => void;

/**
 * Writes down everything that leaves the site, by name, size and digest. Nothing leaves by another way, and each item is written down before its
 * first byte goes out: a coordinator can take bytes and answer with an error.
 */
export class SentRecorder implements CoordinatorPort {
  #lastPoll = '';

  constructor(
    private readonly port: CoordinatorPort,
    private readonly record: (item: SentItem) => NoteOutcome,
    private readonly received: NoteReceived = () => {},
  ) {}

  /** Polls repeat; one is written down whenever what it says has changed. */
  async poll(request: PollRequest, signal: AbortSignal): Promise<PollResponse> {
    const said = PollRequest.encode({ ...request, known: '' }).finish();
    const digest = sha256Hex(said);
    if (digest === this.#lastPoll) return this.port.poll(request, signal);
    const response = await this.#recorded({ name: 'poll', run: '', bytes: said.length, digest }, () => this.port.poll(request, signal));
    this.#lastPoll = digest;
    return response;
  }

  submitStatement(envelope: DsseEnvelope): Promise<void> {
    return this.#recorded(describeStatement(envelope), () => this.port.submitStatement(envelope));
  }

  submitNonce(envelope: DsseEnvelope): Promise<void> {
    return this.#recorded(describeStatement(envelope), () => this.port.submitNonce(envelope));
  }

  submitShare(envelope: DsseEnvelope): Promise<void> {
    return this.#recorded(describeStatement(envelope), () => this.port.submitShare(envelope));
  }

  upload(object: OutgoingObject): Promise<void> {
    const { purpose, run, size, digest } = object;
    return this.#recorded({ name: purposeName(purpose), run, bytes: size, digest }, () => this.port.upload(object));
  }

  async download(digest: string, maxBytes: number): Promise<Uint8Array> {
    return this.#fetched('object', await this.port.download(digest, maxBytes));
  }

  async downloadPart(digest: string, offset: number, length: number): Promise<Uint8Array> {
    return this.#fetched('object', await this.port.downloadPart(digest, offset, length));
  }

  async blockDigests(digest: string, blocks: number): Promise<Uint8Array[]> {
    const digests = await this.port.blockDigests(digest, blocks);
    for (const each of digests) this.#fetched('block-digests', each);
    return digests;
  }

  async ledgerEntries(start: number, limit: number): Promise<LoggedEntry[]> {
    const entries = await this.port.ledgerEntries(start, limit);
    for (const { entry, payload } of entries) this.received('ledger-entries', entry.length + payload.length);
    return entries;
  }

  receipt(digest: string): Promise<LoggedProof> {
    return this.port.receipt(digest);
  }

  awaitCheckpoint(oldSize: number, waitMs: number, signal: AbortSignal): Promise<OfferedCheckpoint | undefined> {
    return this.port.awaitCheckpoint(oldSize, waitMs, signal);
  }

  newestCheckpoint(): Promise<string> {
    return this.port.newestCheckpoint();
  }

  /** Written down by whoever made it, with its bytes and number, in the row that it was stored in: rounds make many, and an item of each would never end. */
  addCosignature(note: string): Promise<void> {
    return this.port.addCosignature(note);
  }

  consistencyProof(oldSize: number, newSize: number): Promise<Uint8Array[]> {
    return this.port.consistencyProof(oldSize, newSize);
  }

  #fetched(kind: 'object' | 'block-digests', bytes: Uint8Array): Uint8Array {
    this.received(kind, bytes.length);
    return bytes;
  }

  async #recorded<T>(item: SentItem, send: () => Promise<T>): Promise<T> {
    const note = this.record(item);
    try {
      const answer = await send();
      note('accepted');
      return answer;
    } catch (error) {
      note(describeFailure(error).code);
      throw error;
    }
  }
}

function describeStatement(envelope: DsseEnvelope): SentItem {
  const { name, predicate, digest } = peekStatement(envelope);
  return { name, run: 'run' in predicate ? predicate.run : '', bytes: Buffer.byteLength(envelope.payload, 'base64'), digest };
}

function purposeName(purpose: ObjectPurpose): string {
  switch (purpose) {
    case ObjectPurpose.OBJECT_PURPOSE_DEALING_MASKED:
      return 'dealing-masked';
    case ObjectPurpose.OBJECT_PURPOSE_DEALING_BOX:
      return 'dealing-box';
    case ObjectPurpose.OBJECT_PURPOSE_CIPHERTEXT:
      return 'ciphertext';
    case ObjectPurpose.OBJECT_PURPOSE_DECRYPTION_SHARE:
      return 'decryption-share';
    case ObjectPurpose.OBJECT_PURPOSE_PUBLISHED:
    case ObjectPurpose.OBJECT_PURPOSE_UNSPECIFIED:
    case ObjectPurpose.UNRECOGNIZED:
      return 'object';
  }
}
