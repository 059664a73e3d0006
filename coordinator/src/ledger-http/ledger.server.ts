import { readFileSync } from 'node:fs';
import { Readable } from 'node:stream';
import { type HttpLimits, HTTP_TIMES, limitConnections, limitRequests, requestFault } from '@coferment/ledger/serving';
import { Injectable, type OnModuleDestroy } from '@nestjs/common';
import { type FastifyInstance, type FastifyReply, type FastifyRequest, fastify } from 'fastify';
import { CoordinatorError } from '../errors/index.js';
import { listeningAddress } from '../agent-port/agent.address.js';
import { DEFAULT_LIMITS, httpLimits } from '../limits/coordinator.limits.js';
import { Settings } from '../settings.js';
import { Log } from '../telemetry/log.js';
import { type LedgerAnswer, LedgerAnswers } from './ledger.answer.js';
import { parseResource } from './ledger.resource.js';

export interface LedgerListening {
  /** `host:port`; port 0 takes a free one. */
  listen: string;
  /** Files in PEM; without them it is plain HTTP, for a proxy that speaks TLS before it. */
  tls?: { certificateFile: string; keyFile: string };
}

const LONGEST_STOP_MS = 2500;

/** The ledger over HTTP, in the layout that other people's tools read (C2SP tlog-tiles): for anybody, read only, behind no account. */
@Injectable()
export class LedgerServer implements OnModuleDestroy {
  #server: FastifyInstance | undefined;
  #url = '';
  readonly #limits: HttpLimits;

  constructor(
    private readonly answers: LedgerAnswers,
    private readonly log: Log,
    settings: Settings,
  ) {
    this.#limits = httpLimits((settings.limits ?? DEFAULT_LIMITS).ledger);
  }

  /** @returns its URL. @throws CoordinatorError 'unreachable', 'folder-unusable', 'malformed' */
  async listen({ listen, tls }: LedgerListening): Promise<string> {
    const { host, port, on } = listeningAddress(listen);
    const server = await this.#create(tls === undefined ? undefined : readTls(tls));
    this.#server = server;
    try {
      await server.listen({ host, port });
    } catch (cause) {
      throw new CoordinatorError('unreachable', `The ledger cannot be served on ${listen}: ${(cause as Error).message}.`, { cause });
    }
    const { port: taken } = server.server.address() as { port: number };
    this.#url = `${tls === undefined ? 'http' : 'https'}://${on(taken)}`;
    return this.#url;
  }

  /** Where it listens; empty while it does not. */
  get url(): string {
    return this.#url;
  }

  /** What is being read may be read to its end, for a while. */
  async onModuleDestroy(): Promise<void> {
    const server = this.#server;
    if (server === undefined) return;
    const cut = setTimeout(() => server.server.closeAllConnections(), LONGEST_STOP_MS);
    await server.close();
    clearTimeout(cut);
  }

  async #create(https: { cert: Buffer; key: Buffer } | undefined): Promise<FastifyInstance> {
    const server = fastify({
      ...HTTP_TIMES,
      ...(https === undefined ? {} : { https: { ...https, ...HTTP_TIMES.http } }),
      bodyLimit: 1024,
      logger: false,
      exposeHeadRoutes: false,
      forceCloseConnections: 'idle',
      frameworkErrors: (_error, _request, reply) => void absent(reply),
    }) as unknown as FastifyInstance;
    limitConnections(server.server, this.#limits);
    const counted = await limitRequests(server, this.#limits);
    server.addHook('onRequest', async (_request, reply) => {
      // Everything here is public: a page of anybody may read it.
      reply.headers({ 'access-control-allow-origin': '*', 'x-content-type-options': 'nosniff' });
    });
    server.route({ method: ['GET', 'HEAD'], url: '/*', handler: (request, reply) => this.#answer(request, reply) });
    server.setNotFoundHandler({ preHandler: counted }, (_request, reply) => absent(reply));
    server.setErrorHandler((error, request, reply) => {
      const fault = requestFault(error);
      if (fault !== undefined) return text(reply, fault.status, fault.text);
      this.log.error('the ledger could not be served', error, { method: request.method });
      return text(reply, 500, 'The ledger could not be read. Try again, and tell the operator if it happens twice.');
    });
    return server;
  }

  async #answer(request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
    const resource = parseResource((request.raw.url ?? '').slice(1));
    const answer = resource === undefined ? undefined : await this.answers.of(resource);
    return answer === undefined ? absent(reply) : send(request, reply, answer);
  }
}

function send(request: FastifyRequest, reply: FastifyReply, { type, cache, etag, size, body }: LedgerAnswer): FastifyReply {
  const tag = `"${etag}"`;
  reply.headers({ 'cache-control': cache, etag: tag });
  const isKnown = request.headers['if-none-match']?.split(',').some((known) => known.trim().replace(/^W\//, '') === tag) === true;
  if (isKnown) {
    discard(body);
    return reply.code(304).send();
  }
  reply.headers({ 'content-type': type, 'content-length': size });
  if (request.method === 'HEAD') {
    discard(body);
    return reply.send(Buffer.alloc(0));
  }
  return reply.send(body instanceof Uint8Array ? Buffer.from(body) : Readable.from(body, { objectMode: false }));
}

/** What was opened for nobody is closed again. */
function discard(body: LedgerAnswer['body']): void {
  if (!(body instanceof Uint8Array)) void body[Symbol.asyncIterator]().return?.();
}

function absent(reply: FastifyReply): FastifyReply {
  return text(reply, 404, 'There is no such thing in this ledger, or not yet.');
}

function text(reply: FastifyReply, status: number, line: string): FastifyReply {
  return reply.code(status).headers({ 'content-type': 'text/plain; charset=utf-8', 'cache-control': 'no-store' }).send(`${line}\n`);
}

function readTls({ certificateFile, keyFile }: NonNullable<LedgerListening['tls']>): { cert: Buffer; key: Buffer } {
  try {
    return { cert: readFileSync(certificateFile), key: readFileSync(keyFile) };
  } catch (cause) {
    throw new CoordinatorError('folder-unusable', `The certificate of the ledger's server cannot be read: ${(cause as Error).message}.`, {
      cause,
    });
  }
}
