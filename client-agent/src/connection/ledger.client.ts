import { LedgerError, type LedgerSource } from '@coferment/ledger';
import {
  DownloadServiceClient,
  type GetCheckpointRequest,
  type GetCheckpointResponse,
  type GetConsistencyProofRequest,
  type GetConsistencyProofResponse,
  type GetEntriesRequest,
  type GetEntriesResponse,
  LedgerServiceClient,
} from '@coferment/proto';
import { type Channel, credentials } from '@grpc/grpc-js';
import { CoordinatorRefusal } from './coordinator.errors.js';
import { objectPieces } from './object.transfer.js';
import { unary } from './unary.call.js';
import { type ClientCertificate, type Endpoint, openChannel } from './wire.channel.js';

const CALL_MS = 30_000;
/** No published sum, upload or decryption share of a model of 10⁸ parameters is larger. */
const MOST_OBJECT_BYTES = 2 ** 30;

/** The coordinator's ledger, for members who read it whole. What comes is for `readLedger` to check. */
export class LedgerClient implements LedgerSource {
  readonly #channel: Channel;
  readonly #ledger: LedgerServiceClient;
  readonly #downloads: DownloadServiceClient;

  constructor(endpoint: Endpoint, certificate: ClientCertificate) {
    this.#channel = openChannel(endpoint, certificate);
    const options = { channelOverride: this.#channel };
    // Not used: the channel has its own. grpc-js asks for some all the same.
    const none = credentials.createInsecure();
    this.#ledger = new LedgerServiceClient(endpoint.address, none, options);
    this.#downloads = new DownloadServiceClient(endpoint.address, none, options);
  }

  close(): void {
    this.#channel.close();
  }

  checkpoint(): Promise<GetCheckpointResponse> {
    return unary<GetCheckpointRequest, GetCheckpointResponse>(
      (message, metadata, options, callback) => this.#ledger.getCheckpoint(message, metadata, options, callback),
      {},
      { what: 'Asking for the checkpoint', deadlineMs: CALL_MS },
    );
  }

  async entries(start: number, limit: number): Promise<GetEntriesResponse['entries']> {
    const { entries } = await unary<GetEntriesRequest, GetEntriesResponse>(
      (message, metadata, options, callback) => this.#ledger.getEntries(message, metadata, options, callback),
      { start, limit },
      { what: 'Reading the ledger', deadlineMs: CALL_MS },
    );
    return entries;
  }

  async *object(digest: string, offset: number): AsyncGenerator<Uint8Array> {
    try {
      yield* objectPieces(this.#downloads, digest, offset, MOST_OBJECT_BYTES);
    } catch (error) {
      if (!(error instanceof CoordinatorRefusal && error.refusal === 'unknown-object')) throw error;
      throw new LedgerError('missing-resource', error.message, { cause: error });
    }
  }

  async consistencyProof(oldSize: number, newSize: number): Promise<Uint8Array[]> {
    const { hashes } = await unary<GetConsistencyProofRequest, GetConsistencyProofResponse>(
      (message, metadata, options, callback) => this.#ledger.getConsistencyProof(message, metadata, options, callback),
      { oldSize, newSize },
      { what: 'Asking for a consistency proof', deadlineMs: CALL_MS },
    );
    return hashes;
  }
}
