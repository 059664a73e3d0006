import {
  EnrolmentServiceClient,
  type HelloResponse,
  type JoinRequest,
  type JoinResponse,
  type RenewRequest,
  type RenewResponse,
} from '@coferment/proto';
import { WIRE_VERSION } from '@coferment/consortium';
import { credentials } from '@grpc/grpc-js';
import { explainUnreachable } from '../connection/connection.probe.js';
import { unary } from '../connection/unary.call.js';
import { requireCoordinatorVersion } from '../connection/version.rule.js';
import { type Endpoint, openChannel } from '../connection/wire.channel.js';

const DEADLINE_MS = 30_000;

/** The three calls that work without a client certificate. */
export class EnrolmentClient {
  readonly #client: EnrolmentServiceClient;

  constructor(private readonly endpoint: Endpoint) {
    // The channel has its own credentials.
    this.#client = new EnrolmentServiceClient(endpoint.address, credentials.createInsecure(), { channelOverride: openChannel(endpoint) });
  }

  close(): void {
    this.#client.close();
  }

  /**
   * Finds out about versions and clocks before anything is decided.
   * @throws AgentError 'version-mismatch' whichever side says so, 'clock-off', 'unreachable'
   */
  async hello(agentTimeMs: number, deadlineMs = DEADLINE_MS): Promise<HelloResponse> {
    const response = await unary<{ wireVersion: string; agentTimeMs: number }, HelloResponse>(
      (message, metadata, options, callback) => this.#client.hello(message, metadata, options, callback),
      { wireVersion: WIRE_VERSION, agentTimeMs },
      { what: 'The first exchange with the coordinator', deadlineMs },
    );
    requireCoordinatorVersion(response.wireVersion);
    return response;
  }

  /** The same, and a failure names the step of the connection that does not work: for people who wait at a terminal. */
  async firstHello(agentTimeMs: number): Promise<HelloResponse> {
    try {
      return await this.hello(agentTimeMs);
    } catch (error) {
      throw await explainUnreachable(this.endpoint, error);
    }
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
