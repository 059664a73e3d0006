import { type IncomingMessage, type Server, type ServerResponse, createServer } from 'node:http';
import { formatAddress, isLoopback, isMeantForLoopback, parseAddress } from '@coferment/consortium';
import { collectDefaultMetrics } from 'prom-client';
import { AgentError, describeFailure } from '../agent.error.js';
import type { AgentMetrics } from './agent.metrics.js';

export interface MonitorInput {
  /** `host:port`; port 0 takes a free one. */
  listen: string;
  /** Also an address that other machines reach. */
  open: boolean;
}

/** Why an agent cannot do its part; empty while it can. */
export interface AgentReadiness {
  ready: boolean;
  reasons: string[];
}

export interface RunningMonitor {
  url: string;
  stop(): void;
}

const LONGEST_REQUEST_MS = 10_000;
const MOST_CONNECTIONS = 16;

/** @throws AgentError 'metrics-address' */
export function monitorAddress({ listen, open }: MonitorInput): { host: string; port: number } {
  const address = parseAddress(listen);
  if (address === undefined)
    throw new AgentError(
      'metrics-address',
      `"${listen.slice(0, 80)}" is not an address to listen on; give it as 127.0.0.1:9464 or [::1]:9464.`,
    );
  if (open || isLoopback(address.host)) return address;
  throw new AgentError(
    'metrics-address',
    `Other machines can reach ${listen} and would read from it, without a password, when this site trains and what it sends. ` +
      'Listen on 127.0.0.1:9464, or add --metrics-open if your network keeps strangers out. Nothing was started.',
  );
}

/**
 * The only port that an agent ever opens, and only when it is told to: read only, for the site's own monitoring. Nothing of the consortium asks here.
 * @param refresh brings the gauges up to date
 * @throws AgentError 'metrics-address'
 */
export async function startMonitor(
  input: MonitorInput,
  metrics: AgentMetrics,
  refresh: () => Promise<void>,
  readiness: () => AgentReadiness,
): Promise<RunningMonitor> {
  const { host, port } = monitorAddress(input);
  const isLocal = isLoopback(host);
  const server = createServer({ requestTimeout: LONGEST_REQUEST_MS, headersTimeout: LONGEST_REQUEST_MS }, (request, response) => {
    answer(request, response, isLocal, metrics, refresh, readiness).catch((error: unknown) =>
      send(response, 500, 'text/plain', `The answer could not be made: ${describeFailure(error).code}.\n`),
    );
  });
  server.maxConnections = MOST_CONNECTIONS;
  await listening(server, host, port, input.listen);
  collectDefaultMetrics({ register: metrics.registry });
  const taken = server.address() as { port: number };
  return {
    url: `http://${formatAddress({ host, port: taken.port })}`,
    stop: () => {
      server.close();
      server.closeAllConnections();
    },
  };
}

function listening(server: Server, host: string, port: number, wanted: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (cause) =>
      reject(
        new AgentError('metrics-address', `The metrics cannot be served on ${wanted}: ${cause.message}. Give another --metrics-listen.`, {
          cause,
        }),
      ),
    );
    server.listen(port, host, resolve);
  });
}

async function answer(
  { method, url, headers }: IncomingMessage,
  response: ServerResponse,
  isLocal: boolean,
  metrics: AgentMetrics,
  refresh: () => Promise<void>,
  readiness: () => AgentReadiness,
): Promise<void> {
  if (isLocal && !isMeantForLoopback(headers.host)) return send(response, 403, 'text/plain', 'Ask under the address itself.\n');
  const path = method === 'GET' ? (url ?? '') : '';
  switch (path) {
    case '/metrics':
      await refresh();
      return send(response, 200, metrics.registry.contentType, await metrics.registry.metrics());
    case '/healthz':
      return send(response, 200, 'application/json', `${JSON.stringify({ live: true })}\n`);
    case '/readyz': {
      const report = readiness();
      return send(response, report.ready ? 200 : 503, 'application/json', `${JSON.stringify(report)}\n`);
    }
    default:
      return send(response, 404, 'text/plain', 'There are /metrics, /healthz and /readyz.\n');
  }
}

function send(response: ServerResponse, status: number, type: string, body: string): void {
  if (response.headersSent) return;
  response.writeHead(status, { 'content-type': type, 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' });
  response.end(body);
}
