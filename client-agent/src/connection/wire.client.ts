import type { DsseEnvelope } from '@coferment/crypto';
import {
  DownloadServiceClient,
  NonceServiceClient,
  type PollRequest,
  type PollResponse,
  PollingServiceClient,
  ShareServiceClient,
  StatementServiceClient,
  UploadServiceClient,
} from '@coferment/proto';
import { Channel, type Client } from '@grpc/grpc-js';
import type { CoordinatorPort, OutgoingObject } from './coordinator.port.js';
import { toWire } from './envelope.codec.js';
import { downloadObject, uploadObject } from './object.transfer.js';
import { unary } from './unary.call.js';
import { channelCredentials, channelOptions, type ClientCertificate, type Endpoint } from './wire.channel.js';

const SMALL_CALL_MS = 30_000;

/** The coordinator over gRPC, on one TLS connection that all services share. */
export class WireClient implements CoordinatorPort {
  readonly #channel: Channel;
  readonly #polling: PollingServiceClient;
  readonly #statements: StatementServiceClient;
  readonly #nonces: NonceServiceClient;
  readonly #shares: ShareServiceClient;
  readonly #uploads: UploadServiceClient;
  readonly #downloads: DownloadServiceClient;

  constructor(endpoint: Endpoint, certificate: ClientCertificate) {
    const credentials = channelCredentials(endpoint, certificate);
    this.#channel = new Channel(endpoint.address, credentials, channelOptions(endpoint));
    const open = <T extends Client>(service: new (address: string, credentials: never, options: never) => T): T =>
      new service(endpoint.address, credentials as never, { channelOverride: this.#channel } as never);
    this.#polling = open(PollingServiceClient);
    this.#statements = open(StatementServiceClient);
    this.#nonces = open(NonceServiceClient);
    this.#shares = open(ShareServiceClient);
    this.#uploads = open(UploadServiceClient);
    this.#downloads = open(DownloadServiceClient);
  }

  close(): void {
    this.#channel.close();
  }

  poll(request: PollRequest, signal: AbortSignal): Promise<PollResponse> {
    const limits = { what: 'A poll', deadlineMs: request.waitMs + SMALL_CALL_MS, signal };
    return unary((message, metadata, options, callback) => this.#polling.poll(message, metadata, options, callback), request, limits);
  }

  async submitStatement(envelope: DsseEnvelope): Promise<void> {
    await unary(
      (message, metadata, options, callback) => this.#statements.submitStatement(message, metadata, options, callback),
      { statement: toWire(envelope) },
      { what: 'A signed statement', deadlineMs: SMALL_CALL_MS },
    );
  }

  async submitNonce(envelope: DsseEnvelope): Promise<void> {
    await unary(
      (message, metadata, options, callback) => this.#nonces.submitNonce(message, metadata, options, callback),
      { nonce: toWire(envelope) },
      { what: 'A nonce', deadlineMs: SMALL_CALL_MS },
    );
  }

  async submitShare(envelope: DsseEnvelope): Promise<void> {
    await unary(
      (message, metadata, options, callback) => this.#shares.submitShare(message, metadata, options, callback),
      { share: toWire(envelope) },
      { what: 'A decryption share', deadlineMs: SMALL_CALL_MS },
    );
  }

  upload(object: OutgoingObject): Promise<void> {
    return uploadObject(this.#uploads, object);
  }

  download(digest: string, maxBytes: number): Promise<Uint8Array> {
    return downloadObject(this.#downloads, digest, maxBytes);
  }
}
