import 'reflect-metadata';
import diagnostics from 'node:diagnostics_channel';
import type { Socket } from 'node:net';
import { Server, ServerInterceptingCall, type ServerInterceptor, ServerListenerBuilder, experimental } from '@grpc/grpc-js';
import { writeCaller } from '../../../../coordinator/dist/agent-port/caller.js';
import { ServerCertificates } from '../../../../coordinator/dist/agent-port/certificate.provider.js';
import type { ConsortiumIdentity } from '../../../../coordinator/dist/identity/consortium.identity.js';
import type { ObjectService } from '../../../../coordinator/dist/objects/object.service.js';
import type { ObjectStore } from '../../../../coordinator/dist/objects/object.store.js';
import { UploadController } from '../../../../coordinator/dist/objects/upload.controller.js';
import type { UploadQuota } from '../../../../coordinator/dist/objects/upload.quota.js';
import { Metrics } from '../../../../coordinator/dist/telemetry/metrics.js';
import type { Credentials } from './consortium.certificates.js';
import { type Due, UploadIntake } from './upload.intake.js';

/** Names the caller by its connection: in the bench all sites share one client certificate. */
const nameTheCaller: ServerInterceptor = (_, call) => {
  const listener = new ServerListenerBuilder().withOnReceiveMetadata((metadata, next) => {
    writeCaller(metadata, { kind: 'site', site: `site-${call.getPeer().split(':').at(-1)}`, identityKey: '0'.repeat(64) });
    next(metadata);
  });
  return new ServerInterceptingCall(call, { start: (next) => next(listener.build()) });
};

/** It counts what is stored in a database; here is none. */
const unlimited = { require: () => Promise.resolve() } as unknown as UploadQuota;

/** The coordinator's upload call on loopback: its controller, its certificates' provider, its object store. */
export class UploadPort {
  readonly #server: Server;
  readonly #intake: UploadIntake;
  readonly #sockets: Socket[] = [];

  constructor(
    store: ObjectStore,
    private readonly credentials: Credentials,
  ) {
    this.#server = new Server({ 'grpc.max_receive_message_length': 1_048_576, interceptors: [nameTheCaller] });
    this.#intake = new UploadIntake(store);
    const { definition, handlers } = new UploadController(this.#intake as unknown as ObjectService, unlimited, new Metrics());
    this.#server.addService(definition, handlers);
    // The plain socket under TLS: its count is what crossed the wire.
    diagnostics.channel('net.server.socket').subscribe((message) => this.#sockets.push((message as { socket: Socket }).socket));
  }

  /** Says what ciphertexts and shares look like from here on. */
  expect(due: Due): void {
    this.#intake.due = due;
  }

  /** Takes a free port of loopback and returns the address. */
  listen(): Promise<string> {
    const { server, facts } = this.credentials;
    const identity = { server, authorities: { sequence: 0, certificates: [facts.authority] }, watch: () => {} };
    const certificates = new ServerCertificates(identity as unknown as ConsortiumIdentity);
    const credentials = experimental.createCertificateProviderServerCredentials(certificates, certificates, true);
    return new Promise((resolve, reject) => {
      this.#server.bindAsync('127.0.0.1:0', credentials, (error, port) => (error === null ? resolve(`127.0.0.1:${port}`) : reject(error)));
    });
  }

  /** Bytes that have come in on all connections since the start: TLS records, HTTP/2 frames, messages. */
  receivedBytes(): number {
    return this.#sockets.reduce((sum, socket) => sum + socket.bytesRead, 0);
  }
}
