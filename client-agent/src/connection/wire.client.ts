import type { DsseEnvelope } from '@coferment/crypto';
import {
  DownloadServiceClient,
  type GetEntriesRequest,
  type GetEntriesResponse,
  LedgerServiceClient,
  NonceServiceClient,
  type PollRequest,
  type PollResponse,
  PollingServiceClient,
  ShareServiceClient,
  StatementServiceClient,
  UploadServiceClient,
} from '@coferment/proto';
import { type ClientOptions, credentials } from '@grpc/grpc-js';
import type { CoordinatorPort, LoggedEntry, OutgoingObject } from './coordinator.port.js';
import { toWire } from './envelope.codec.js';
import { downloadBlockDigests, downloadObject, downloadPart, uploadObject } from './object.transfer.js';
import { RenewableChannel } from './renewable.channel.js';
import { unary } from './unary.call.js';
import type { ClientCertificate, Endpoint } from './wire.channel.js';

const SMALL_CALL_MS = 30_000;

/** The coordinator over gRPC, on one TLS connection that all services share. */
export class WireClient implements CoordinatorPort {
  readonly #channel: RenewableChannel;
  readonly #services: Services;

  constructor(endpoint: Endpoint, certificate: ClientCertificate) {
    this.#channel = new RenewableChannel(endpoint, certificate);
    this.#services = openServices(endpoint, this.#channel);
  }

  /** Goes on with a renewed certificate, and with the authorities that are believed now. Calls under way end on the old connection. */
  useCertificate(endpoint: Endpoint, certificate: ClientCertificate): void {
    this.#channel.replace(endpoint, certificate);
  }

  close(): void {
    this.#channel.close();
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
}

interface Services {
  polling: PollingServiceClient;
  statements: StatementServiceClient;
  nonces: NonceServiceClient;
  shares: ShareServiceClient;
  uploads: UploadServiceClient;
  downloads: DownloadServiceClient;
  ledger: LedgerServiceClient;
}

function openServices({ address }: Endpoint, channel: RenewableChannel): Services {
  const options: ClientOptions = { channelOverride: channel };
  // Not used: the channel has its own. grpc-js asks for some all the same.
  const none = credentials.createSsl();
  return {
    polling: new PollingServiceClient(address, none, options),
    statements: new StatementServiceClient(address, none, options),
    nonces: new NonceServiceClient(address, none, options),
    shares: new ShareServiceClient(address, none, options),
    uploads: new UploadServiceClient(address, none, options),
    downloads: new DownloadServiceClient(address, none, options),
    ledger: new LedgerServiceClient(address, none, options),
  };
}
