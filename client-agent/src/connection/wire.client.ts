import type { DsseEnvelope } from '@coferment/crypto';
import {
  type DescribeModelRequest,
  type DescribeModelResponse,
  DownloadServiceClient,
  type GetEntriesRequest,
  type GetEntriesResponse,
  LedgerServiceClient,
  ModelServiceClient,
  NonceServiceClient,
  type PollRequest,
  type PollResponse,
  PollingServiceClient,
  ShareServiceClient,
  StatementServiceClient,
  UploadServiceClient,
} from '@coferment/proto';
import { Channel, type ClientOptions } from '@grpc/grpc-js';
import type { CoordinatorPort, LoggedEntry, OutgoingObject } from './coordinator.port.js';
import { toWire } from './envelope.codec.js';
import { downloadBlockDigests, downloadObject, downloadPart, uploadObject } from './object.transfer.js';
import { unary } from './unary.call.js';
import { channelCredentials, channelOptions, type ClientCertificate, type Endpoint } from './wire.channel.js';

const SMALL_CALL_MS = 30_000;

/** The coordinator over gRPC, on one TLS connection that all services share. */
export class WireClient implements CoordinatorPort {
  #services: Services;

  constructor(
    private readonly endpoint: Endpoint,
    certificate: ClientCertificate,
  ) {
    this.#services = openServices(endpoint, certificate);
  }

  /** Goes on with a renewed certificate; calls under way on the old connection end with it. */
  useCertificate(certificate: ClientCertificate): void {
    const old = this.#services;
    this.#services = openServices(this.endpoint, certificate);
    old.channel.close();
  }

  close(): void {
    this.#services.channel.close();
  }

  poll(request: PollRequest, signal: AbortSignal): Promise<PollResponse> {
    const limits = { what: 'A poll', deadlineMs: request.waitMs + SMALL_CALL_MS, signal };
    return unary(
      (message, metadata, options, callback) => this.#services.polling.poll(message, metadata, options, callback),
      request,
      limits,
    );
  }

  async submitStatement(envelope: DsseEnvelope): Promise<void> {
    await unary(
      (message, metadata, options, callback) => this.#services.statements.submitStatement(message, metadata, options, callback),
      { statement: toWire(envelope) },
      { what: 'A signed statement', deadlineMs: SMALL_CALL_MS },
    );
  }

  async submitNonce(envelope: DsseEnvelope): Promise<void> {
    await unary(
      (message, metadata, options, callback) => this.#services.nonces.submitNonce(message, metadata, options, callback),
      { nonce: toWire(envelope) },
      { what: 'A nonce', deadlineMs: SMALL_CALL_MS },
    );
  }

  async submitShare(envelope: DsseEnvelope): Promise<void> {
    await unary(
      (message, metadata, options, callback) => this.#services.shares.submitShare(message, metadata, options, callback),
      { share: toWire(envelope) },
      { what: 'A decryption share', deadlineMs: SMALL_CALL_MS },
    );
  }

  upload(object: OutgoingObject): Promise<void> {
    return uploadObject(this.#services.uploads, object);
  }

  download(digest: string, maxBytes: number): Promise<Uint8Array> {
    return downloadObject(this.#services.downloads, digest, maxBytes);
  }

  downloadPart(digest: string, offset: number, length: number): Promise<Uint8Array> {
    return downloadPart(this.#services.downloads, digest, offset, length);
  }

  blockDigests(digest: string, blocks: number): Promise<Uint8Array[]> {
    return downloadBlockDigests(this.#services.downloads, digest, blocks);
  }

  async ledgerEntries(start: number, limit: number): Promise<LoggedEntry[]> {
    const { entries } = await unary<GetEntriesRequest, GetEntriesResponse>(
      (message, metadata, options, callback) => this.#services.ledger.getEntries(message, metadata, options, callback),
      { start, limit },
      { what: 'Reading the ledger', deadlineMs: SMALL_CALL_MS },
    );
    return entries;
  }

  describeModel(run: string): Promise<DescribeModelResponse> {
    return unary<DescribeModelRequest, DescribeModelResponse>(
      (message, metadata, options, callback) => this.#services.models.describeModel(message, metadata, options, callback),
      { run },
      { what: 'Asking for a model', deadlineMs: SMALL_CALL_MS },
    );
  }
}

interface Services {
  channel: Channel;
  polling: PollingServiceClient;
  statements: StatementServiceClient;
  nonces: NonceServiceClient;
  shares: ShareServiceClient;
  uploads: UploadServiceClient;
  downloads: DownloadServiceClient;
  ledger: LedgerServiceClient;
  models: ModelServiceClient;
}

function openServices(endpoint: Endpoint, certificate: ClientCertificate): Services {
  const credentials = channelCredentials(endpoint, certificate);
  const channel = new Channel(endpoint.address, credentials, channelOptions(endpoint));
  const options: ClientOptions = { channelOverride: channel };
  return {
    channel,
    polling: new PollingServiceClient(endpoint.address, credentials, options),
    statements: new StatementServiceClient(endpoint.address, credentials, options),
    nonces: new NonceServiceClient(endpoint.address, credentials, options),
    shares: new ShareServiceClient(endpoint.address, credentials, options),
    uploads: new UploadServiceClient(endpoint.address, credentials, options),
    downloads: new DownloadServiceClient(endpoint.address, credentials, options),
    ledger: new LedgerServiceClient(endpoint.address, credentials, options),
    models: new ModelServiceClient(endpoint.address, credentials, options),
  };
}
