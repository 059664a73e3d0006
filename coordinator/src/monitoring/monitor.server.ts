import { isLoopback, isMeantForLoopback } from '@coferment/consortium';
import { type HttpLimits, HTTP_TIMES, limitConnections, limitRequests, requestFault } from '@coferment/ledger/serving';
import { Injectable, type OnModuleDestroy } from '@nestjs/common';
import { type FastifyInstance, fastify } from 'fastify';
import { collectDefaultMetrics } from 'prom-client';
import { CoordinatorError } from '../errors/index.js';
import { DEFAULT_LIMITS, httpLimits } from '../limits/coordinator.limits.js';
import { Settings } from '../settings.js';
import { Health } from '../telemetry/health.js';
import { Log } from '../telemetry/log.js';
import { Metrics } from '../telemetry/metrics.js';
import { MetricsAnswer } from './metrics.answer.js';
import { type MonitorListening, monitorAddress } from './monitor.address.js';

/** A scraper that asks every minute keeps its connection. */
const TIMES = { ...HTTP_TIMES, keepAliveTimeout: 65_000, connectionTimeout: 70_000 };

/** For monitoring, on a port of its own, read only: /metrics, /healthz (the process lives) and /readyz (calls should be sent here, or why not). */
@Injectable()
export class MonitorServer implements OnModuleDestroy {
  #server: FastifyInstance | undefined;
  readonly #limits: HttpLimits;

  constructor(
    private readonly answer: MetricsAnswer,
    private readonly health: Health,
    private readonly metrics: Metrics,
    private readonly log: Log,
    settings: Settings,
  ) {
    this.#limits = httpLimits((settings.limits ?? DEFAULT_LIMITS).monitor);
  }

  /** @returns its URL. @throws CoordinatorError 'unreachable', 'malformed', 'forbidden' */
  async listen(listening: MonitorListening): Promise<string> {
    const { host, port, on } = monitorAddress(listening);
    const server = await this.#create(isLoopback(host));
    this.#server = server;
    try {
      await server.listen({ host, port });
    } catch (cause) {
      throw new CoordinatorError('unreachable', `The monitoring port cannot listen on ${listening.listen}: ${(cause as Error).message}.`, {
        cause,
      });
    }
    // Only now: it watches the event loop and the garbage collector of the process for as long as that lives.
    collectDefaultMetrics({ register: this.metrics.registry });
    return `http://${on((server.server.address() as { port: number }).port)}`;
  }

  async onModuleDestroy(): Promise<void> {
    await this.#server?.close();
  }

  async #create(isLocal: boolean): Promise<FastifyInstance> {
    const server = fastify({ ...TIMES, bodyLimit: 1024, logger: false, exposeHeadRoutes: false, forceCloseConnections: true });
    limitConnections(server.server, this.#limits);
    const counted = await limitRequests(server, this.#limits);
    server.addHook('onRequest', async (request, reply) => {
      reply.headers({ 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' });
      if (isLocal && !isMeantForLoopback(request.headers.host)) await reply.code(403).send('Ask under the address itself.\n');
    });
    server.get('/metrics', async (_request, reply) => reply.type(this.answer.type).send(await this.answer.text()));
    server.get('/healthz', async (_request, reply) => {
      const { live } = this.health.report();
      return reply.code(live ? 200 : 503).send({ live });
    });
    server.get('/readyz', async (_request, reply) => {
      const report = this.health.report();
      return reply.code(report.ready ? 200 : 503).send(report);
    });
    server.setNotFoundHandler({ preHandler: counted }, (_request, reply) =>
      reply.code(404).type('text/plain').send('There are /metrics, /healthz and /readyz.\n'),
    );
    server.setErrorHandler((error, _request, reply) => {
      const fault = requestFault(error);
      if (fault !== undefined) return reply.code(fault.status).type('text/plain').send(`${fault.text}\n`);
      this.log.error('monitoring could not be answered', error);
      return reply.code(500).type('text/plain').send('The answer could not be made; the cause is in the log.\n');
    });
    return server;
  }
}
