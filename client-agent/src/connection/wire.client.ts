import type { DsseEnvelope } from '@coferment/crypto';
import {
  type AddCosignatureRequest,
  type AddCosignatureResponse,
  type AwaitCheckpointRequest,
  type AwaitCheckpointResponse,
  type DescribeModelRequest,
  type DescribeModelResponse,
  DownloadServiceClient,
  type GetCheckpointRequest,
  type GetCheckpointResponse,
  type GetConsistencyProofRequest,
  type GetConsistencyProofResponse,
  type GetEntriesRequest,
  type GetEntriesResponse,
  type GetReceiptRequest,
  type GetReceiptResponse,
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
import { type ClientOptions, connectivityState, credentials } from '@grpc/grpc-js';
import { describeFailure } from '../agent.error.js';
import type { CoordinatorPort, LoggedEntry, LoggedProof, OfferedCheckpoint, OutgoingObject } from './coordinator.port.js';
import { toWire } from './envelope.codec.js';
import { downloadBlockDigests, downloadObject, downloadPart, uploadObject } from './object.transfer.js';
import { RenewableChannel } from './renewable.channel.js';
import { unary } from './unary.call.js';
import type { ClientCertificate, Endpoint, KeepalivePace } from './wire.channel.js';

/** Longest wait for the answer to a small call. */
const SMALL_CALL_MS = 30_000;

/** How long a silent line is believed in. Tests shorten it. */
export interface WirePace {
  keepalive?: KeepalivePace;
  /** Of a small call; of a poll beyond the time for which it may be held. */
  callMs?: number;
}

/** The coordinator over gRPC, on one TLS connection that all services share. */
export class WireClient implements CoordinatorPort {
  readonly #channel: RenewableChannel;
  readonly #services: Services;
  readonly #callMs: number;

  constructor(endpoint: Endpoint, certificate: ClientCertificate, pace: WirePace = {}) {
    this.#callMs = pace.callMs ?? SMALL_CALL_MS;
    this.#channel = new RenewableChannel(endpoint, certificate, pace.keepalive);
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
    const limits = { what: 'A poll', deadlineMs: request.waitMs + this.#callMs, signal };
    return this.#leavingStuckConnections(
      () =>
        unary((message, metadata, options, callback) => this.#services.polling.poll(message, metadata, options, callback), request, limits),
      signal,
    );
  }

  /**
   * A connection that is cut in the middle of its TLS handshake, or behind a proxy that never answers, would be waited for until the kernel gives it up, or
   * for ever: grpc-js sets no limit, and keepalive only begins with HTTP/2. A call that got no answer on it for all its time leaves it for a new one. This
   * holds for every call that an agent without a connection begins with, not only for polls: it reads the ledger first.
   */
  async #leavingStuckConnections<T>(call: () => Promise<T>, signal?: AbortSignal): Promise<T> {
    const { number } = this.#channel;
    try {
      return await call();
    } catch (error) {
      const stuck = number === this.#channel.number && this.#channel.getConnectivityState(false) === connectivityState.CONNECTING;
      if (stuck && describeFailure(error).code === 'unreachable' && signal?.aborted !== true) this.#channel.reopen();
      throw error;
    }
  }

  async submitStatement(envelope: DsseEnvelope): Promise<void> {
    await this.#leavingStuckConnections(() =>
      unary(
        (message, metadata, options, callback) => this.#services.statements.submitStatement(message, metadata, options, callback),
        { statement: toWire(envelope) },
        { what: 'A signed statement', deadlineMs: this.#callMs },
      ),
    );
  }

  async submitNonce(envelope: DsseEnvelope): Promise<void> {
    await this.#leavingStuckConnections(() =>
      unary(
        (message, metadata, options, callback) => this.#services.nonces.submitNonce(message, metadata, options, callback),
        { nonce: toWire(envelope) },
        { what: 'A nonce', deadlineMs: this.#callMs },
      ),
    );
  }

  async submitShare(envelope: DsseEnvelope): Promise<void> {
    await this.#leavingStuckConnections(() =>
      unary(
        (message, metadata, options, callback) => this.#services.shares.submitShare(message, metadata, options, callback),
        { share: toWire(envelope) },
        { what: 'A decryption share', deadlineMs: this.#callMs },
      ),
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
    const { entries } = await this.#leavingStuckConnections(() =>
      unary<GetEntriesRequest, GetEntriesResponse>(
        (message, metadata, options, callback) => this.#services.ledger.getEntries(message, metadata, options, callback),
        { start, limit },
        { what: 'Reading the ledger', deadlineMs: this.#callMs },
      ),
    );
    return entries;
  }

  receipt(payloadDigest: string): Promise<LoggedProof> {
    return this.#leavingStuckConnections(() =>
      unary<GetReceiptRequest, GetReceiptResponse>(
        (message, metadata, options, callback) => this.#services.ledger.getReceipt(message, metadata, options, callback),
        { payloadDigest },
        { what: 'Asking for a receipt', deadlineMs: this.#callMs },
      ),
    );
  }

  async awaitCheckpoint(oldSize: number, waitMs: number, signal: AbortSignal): Promise<OfferedCheckpoint | undefined> {
    const { checkpoint, consistencyProof } = await unary<AwaitCheckpointRequest, AwaitCheckpointResponse>(
      (message, metadata, options, callback) => this.#services.ledger.awaitCheckpoint(message, metadata, options, callback),
      { oldSize, waitMs },
      { what: 'Waiting for a checkpoint', deadlineMs: waitMs + this.#callMs, signal },
    );
    return checkpoint === '' ? undefined : { note: checkpoint, proof: consistencyProof };
  }

  async newestCheckpoint(): Promise<string> {
    const { checkpoint } = await unary<GetCheckpointRequest, GetCheckpointResponse>(
      (message, metadata, options, callback) => this.#services.ledger.getCheckpoint(message, metadata, options, callback),
      {},
      { what: 'Asking for the checkpoint', deadlineMs: this.#callMs },
    );
    return checkpoint;
  }

  async addCosignature(checkpoint: string): Promise<void> {
    await unary<AddCosignatureRequest, AddCosignatureResponse>(
      (message, metadata, options, callback) => this.#services.ledger.addCosignature(message, metadata, options, callback),
      { checkpoint },
      { what: 'A cosignature', deadlineMs: this.#callMs },
    );
  }

  async consistencyProof(oldSize: number, newSize: number): Promise<Uint8Array[]> {
    const { hashes } = await unary<GetConsistencyProofRequest, GetConsistencyProofResponse>(
      (message, metadata, options, callback) => this.#services.ledger.getConsistencyProof(message, metadata, options, callback),
      { oldSize, newSize },
      { what: 'Asking for a consistency proof', deadlineMs: this.#callMs },
    );
    return hashes;
  }

  describeModel(run: string): Promise<DescribeModelResponse> {
    return unary<DescribeModelRequest, DescribeModelResponse>(
      (message, metadata, options, callback) => this.#services.models.describeModel(message, metadata, options, callback),
      { run },
      { what: 'Asking for a model', deadlineMs: this.#callMs },
    );
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
  models: ModelServiceClient;
}

function openServices({ address }: Endpoint, channel: RenewableChannel): Services {
  const options: ClientOptions = { channelOverride: channel };
  // Not used: the channel has its own. grpc-js asks for some all the same.
  const none = credentials.createInsecure();
  return {
    polling: new PollingServiceClient(address, none, options),
    statements: new StatementServiceClient(address, none, options),
    nonces: new NonceServiceClient(address, none, options),
    shares: new ShareServiceClient(address, none, options),
    uploads: new UploadServiceClient(address, none, options),
    downloads: new DownloadServiceClient(address, none, options),
    ledger: new LedgerServiceClient(address, none, options),
    models: new ModelServiceClient(address, none, options),
  };
}
