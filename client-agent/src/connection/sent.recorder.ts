import { peekStatement } from '@coferment/consortium';
import { type DsseEnvelope, sha256Hex } from '@coferment/crypto';
import { ObjectPurpose, PollRequest, type PollResponse } from '@coferment/proto';
import type { CoordinatorPort, OutgoingObject } from './coordinator.port.js';

export interface SentItem {
  name: string;
  run: string;
  bytes: number;
  digest: string;
}

/** Writes down everything that left the site, by name, size and digest, when it has been accepted. Nothing leaves by another way. */
export class SentRecorder implements CoordinatorPort {
  #lastPoll = '';

  constructor(
    private readonly port: CoordinatorPort,
    private readonly record: (item: SentItem) => void,
  ) {}

  /** Polls repeat; one is written down whenever what it says has changed. */
  async poll(request: PollRequest, signal: AbortSignal): Promise<PollResponse> {
    const said = PollRequest.encode({ ...request, known: '' }).finish();
    const digest = sha256Hex(said);
    const response = await this.port.poll(request, signal);
    if (digest !== this.#lastPoll) this.record({ name: 'poll', run: '', bytes: said.length, digest });
    this.#lastPoll = digest;
    return response;
  }

  async submitStatement(envelope: DsseEnvelope): Promise<void> {
    await this.port.submitStatement(envelope);
    this.#recordStatement(envelope);
  }

  async submitNonce(envelope: DsseEnvelope): Promise<void> {
    await this.port.submitNonce(envelope);
    this.#recordStatement(envelope);
  }

  async submitShare(envelope: DsseEnvelope): Promise<void> {
    await this.port.submitShare(envelope);
    this.#recordStatement(envelope);
  }

  async upload(object: OutgoingObject): Promise<void> {
    await this.port.upload(object);
    this.record({ name: purposeName(object.purpose), run: object.run, bytes: object.bytes.length, digest: object.digest });
  }

  download(digest: string, maxBytes: number): Promise<Uint8Array> {
    return this.port.download(digest, maxBytes);
  }

  #recordStatement(envelope: DsseEnvelope): void {
    const { name, predicate, digest } = peekStatement(envelope);
    this.record({ name, run: 'run' in predicate ? predicate.run : '', bytes: Buffer.byteLength(envelope.payload, 'base64'), digest });
  }
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
