import { setTimeout as sleep } from 'node:timers/promises';
import { Server, experimental } from '@grpc/grpc-js';
import { Inject, Injectable, type OnModuleDestroy } from '@nestjs/common';
import { Log } from '../telemetry/log.js';
import { CoordinatorError, stoppingRefusal } from '../errors/index.js';
import { LARGEST_MESSAGE } from '../limits/message.sizes.js';
import { HealthProbe } from '../telemetry/health.probe.js';
import { AccessInterceptor } from './access.interceptor.js';
import { onFault } from './call.handler.js';
import { ServerCertificates } from './certificate.provider.js';
import { OpenCalls } from './open.calls.js';
import type { GrpcController } from './grpc.controller.js';
import { withMeasuredMessages } from './message.reading.js';

export const CONTROLLERS = Symbol('gRPC controllers');

const OPTIONS = {
  'grpc.max_receive_message_length': LARGEST_MESSAGE,
  // Of one connection; an agent has a few at a time.
  'grpc.max_concurrent_streams': 256,
  'grpc.max_send_message_length': 64 * 1_048_576,
  // Below the idle limits of common firewalls and NATs.
  'grpc.keepalive_time_ms': 30_000,
  'grpc.keepalive_timeout_ms': 20_000,
};

/** The one port that agents and the operator dial: gRPC over TLS. */
@Injectable()
export class AgentPort implements OnModuleDestroy {
  readonly #server: Server;

  constructor(
    private readonly certificates: ServerCertificates,
    access: AccessInterceptor,
    private readonly openCalls: OpenCalls,
    private readonly log: Log,
    probe: HealthProbe,
    @Inject(CONTROLLERS) controllers: readonly GrpcController[],
  ) {
    this.#server = new Server({ ...OPTIONS, interceptors: [access.intercept] });
    for (const { definition, handlers } of controllers) this.#server.addService(withMeasuredMessages(definition), handlers);
    onFault((method, error) => {
      if (!probe.explains(error)) log.error('a call failed', error, { method });
    });
  }

  /** Starts to listen and returns the port. @throws CoordinatorError 'unreachable' when the address cannot be taken */
  listen(address: string): Promise<number> {
    // One provider in both places: this version takes the two in an order other than the one it documents.
    const credentials = experimental.createCertificateProviderServerCredentials(this.certificates, this.certificates, false);
    return new Promise((resolve, reject) => {
      this.#server.bindAsync(address, credentials, (error, port) => {
        if (error === null) {
          this.log.info('listening', { address: `${address} → ${port}` });
          resolve(port);
        } else {
          reject(
            new CoordinatorError('unreachable', `Cannot listen on ${address}: ${error.message}. Give another address with --listen.`, {
              cause: error,
            }),
          );
        }
      });
    });
  }

  /** Calls that wait end at once; what is being sent and stored may come to its end, for so long. */
  async drain(longestMs: number): Promise<void> {
    this.openCalls.endHeld(stoppingRefusal());
    const drained = new Promise<void>((resolve) => this.#server.tryShutdown(() => resolve()));
    await Promise.race([drained, sleep(longestMs, undefined, { ref: false })]);
  }

  onModuleDestroy(): void {
    this.#server.forceShutdown();
  }
}
