import type { Server, Socket } from 'node:net';
import rateLimit from '@fastify/rate-limit';
import type { FastifyInstance, preHandlerAsyncHookHandler } from 'fastify';
import { networkOf } from './network.address.js';

export interface HttpLimits {
  /** By address. */
  requests: number;
  perMs: number;
  connections: number;
  connectionsPerAddress: number;
}

/**
 * How long a client may take to send its request, and to do nothing. Node.js looks only every half minute by default, so a client that sends a byte now and then
 * would hold its connection for that long.
 */
export const HTTP_TIMES = {
  requestTimeout: 10_000,
  connectionTimeout: 30_000,
  keepAliveTimeout: 15_000,
  http: { maxHeaderSize: 8192, headersTimeout: 10_000, connectionsCheckingInterval: 2000 },
} as const;

/** Further connections are closed at once, before a byte of them is read. */
export function limitConnections(server: Server, { connections, connectionsPerAddress }: HttpLimits): void {
  server.maxConnections = connections;
  const open = new Map<string, number>();
  server.on('connection', (socket: Socket) => {
    const address = networkOf(socket.remoteAddress ?? '');
    const before = open.get(address) ?? 0;
    if (before >= connectionsPerAddress) {
      socket.destroy();
      return;
    }
    open.set(address, before + 1);
    socket.once('close', () => {
      const rest = (open.get(address) ?? 1) - 1;
      if (rest === 0) open.delete(address);
      else open.set(address, rest);
    });
  });
}

/**
 * Counts requests by address, and answers 429 with `Retry-After` beyond. Before the routes, and awaited: it counts for routes that come after it only. The answer
 * comes through the error handler, see {@link requestFault}.
 * @returns counts what has no route, for the handler of such requests
 */
export async function limitRequests(server: FastifyInstance, { requests, perMs }: HttpLimits): Promise<preHandlerAsyncHookHandler> {
  await server.register(rateLimit, {
    max: requests,
    timeWindow: perMs,
    keyGenerator: (request) => networkOf(request.ip),
    addHeadersOnExceeding: { 'x-ratelimit-limit': false, 'x-ratelimit-remaining': false, 'x-ratelimit-reset': false },
  });
  return server.rateLimit();
}

/** What an error handler answers to a request that is itself at fault: too many, too large, no HTTP. Undefined for a fault of the server's own. */
export function requestFault(error: unknown): { status: number; text: string } | undefined {
  if (!(error instanceof Error && 'statusCode' in error)) return undefined;
  const status = Number(error.statusCode);
  if (!(status >= 400 && status < 500)) return undefined;
  // Says after how long to come back; of other requests nothing is repeated.
  return { status, text: status === 429 ? error.message : 'The request is malformed or too large.' };
}
