import {
  EnrolmentServiceClient,
  type HelloResponse,
  type JoinRequest,
  type JoinResponse,
  type RenewRequest,
  type RenewResponse,
} from '@coferment/proto';
import { WIRE_VERSION } from '@coferment/consortium';
import { unary } from '../connection/unary.call.js';
import { channelCredentials, channelOptions, type Endpoint } from '../connection/wire.channel.js';

const DEADLINE_MS = 30_000;

/** The three calls that work without a client certificate. */
export class EnrolmentClient {
  readonly #client: EnrolmentServiceClient;

  constructor(endpoint: Endpoint) {
    this.#client = new EnrolmentServiceClient(endpoint.address, channelCredentials(endpoint), channelOptions(endpoint));
  }

  close(): void {
    this.#client.close();
  }

  /** Finds out about versions, clocks and the network before anything is decided. */
  hello(agentTimeMs: number): Promise<HelloResponse> {
    return unary<{ wireVersion: string; agentTimeMs: number }, HelloResponse>(
      (message, metadata, options, callback) => this.#client.hello(message, metadata, options, callback),
      { wireVersion: WIRE_VERSION, agentTimeMs },
      { what: 'The first exchange with the coordinator', deadlineMs: DEADLINE_MS },
    );
  }

  join(request: JoinRequest): Promise<JoinResponse> {
    return unary<JoinRequest, JoinResponse>(
      (message, metadata, options, callback) => this.#client.join(message, metadata, options, callback),
      request,
      { what: 'Joining', deadlineMs: DEADLINE_MS },
    );
  }

  renew(request: RenewRequest): Promise<RenewResponse> {
    return unary<RenewRequest, RenewResponse>(
      (message, metadata, options, callback) => this.#client.renew(message, metadata, options, callback),
      request,
      { what: 'Renewing the certificate', deadlineMs: DEADLINE_MS },
    );
  }
}
