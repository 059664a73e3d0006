import { connect, type AddressInfo, type Socket } from 'node:net';
import Fastify, { type FastifyInstance } from 'fastify';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { HTTP_TIMES, type HttpLimits, limitConnections, limitRequests, requestFault } from './index.js';

const LIMITS: HttpLimits = { requests: 3, perMs: 60_000, connections: 10, connectionsPerAddress: 2 };
let server: FastifyInstance | undefined;
const sockets: Socket[] = [];
afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy();
  await server?.close();
});

async function serve(limits: Partial<HttpLimits> = {}, times: object = HTTP_TIMES): Promise<number> {
  server = Fastify({ ...times, bodyLimit: 100, forceCloseConnections: true });
  limitConnections(server.server, { ...LIMITS, ...limits });
  const counted = await limitRequests(server, { ...LIMITS, ...limits });
  server.setErrorHandler((error, _request, reply) => {
    const fault = requestFault(error);
    return reply.code(fault?.status ?? 500).send(fault?.text ?? 'own fault');
  });
  server.setNotFoundHandler({ preHandler: counted }, (_request, reply) => reply.code(404).send('nothing'));
  server.get('/', async () => 'here');
  server.get('/broken', async () => {
    throw new Error('inside');
  });
  await server.listen({ port: 0, host: '127.0.0.1' });
  return (server.server.address() as AddressInfo).port;
}

/** @returns whether the server has closed it */
function open(port: number): { closed: () => boolean; socket: Socket } {
  const socket = connect(port, '127.0.0.1')
    .on('error', () => undefined)
    .resume();
  sockets.push(socket);
  let closed = false;
  socket.on('close', () => (closed = true));
  return { closed: () => closed, socket };
}

describe('requests of one address', () => {
  it.each(['/', '/nowhere'])('to %s are answered up to the limit, then told when to come back', async (url) => {
    await serve();
    const answers = [];
    for (let request = 0; request < 5; request++) answers.push(await server!.inject({ url, remoteAddress: '192.0.2.1' }));
    expect(answers.map(({ statusCode }) => statusCode === 429)).toEqual([false, false, false, true, true]);
    expect(Number(answers[4]!.headers['retry-after'])).toBeGreaterThan(0);
    expect(answers[4]!.body).toMatch(/Rate limit exceeded, retry in 1 minute/);
    expect((await server!.inject({ url, remoteAddress: '192.0.2.2' })).statusCode).not.toBe(429);
  });

  it('are those of one network of IPv6', async () => {
    await serve();
    const ask = async (remoteAddress: string) => (await server!.inject({ url: '/', remoteAddress })).statusCode;
    for (const host of ['1', '2', '3']) expect(await ask(`2001:db8::${host}`)).toBe(200);
    expect(await ask('2001:db8::4')).toBe(429);
    expect(await ask('2001:db8:0:1::4')).toBe(200);
  });
});

describe('a request that is at fault', () => {
  it('is told so without a word of the inside; a fault of the server is none of the request', async () => {
    await serve({ requests: 100 });
    const large = await server!.inject({ method: 'POST', url: '/', payload: 'x'.repeat(200), headers: { 'content-type': 'text/plain' } });
    expect(large).toMatchObject({ statusCode: 413, body: 'The request is malformed or too large.' });
    expect(requestFault(Object.assign(new Error('at /srv/x.ts:3'), { statusCode: 413 }))).toEqual({
      status: 413,
      text: 'The request is malformed or too large.',
    });
    expect(requestFault(new Error('inside'))).toBeUndefined();
    expect(requestFault(Object.assign(new Error('inside'), { statusCode: 503 }))).toBeUndefined();
    expect((await server!.inject('/broken')).body).toBe('own fault');
  });
});

describe('connections', () => {
  it('of one address are closed beyond the limit, and make room when they end', async () => {
    const port = await serve();
    const [first, second] = [open(port), open(port)];
    await new Promise((turn) => setTimeout(turn, 50));
    const third = open(port);
    await vi.waitFor(() => expect(third.closed()).toBe(true));
    expect([first.closed(), second.closed()]).toEqual([false, false]);
    first.socket.destroy();
    await new Promise((turn) => setTimeout(turn, 50));
    const fourth = open(port);
    await new Promise((turn) => setTimeout(turn, 100));
    expect(fourth.closed()).toBe(false);
  });

  it('on which a request comes byte by byte are closed in time', async () => {
    const times = {
      ...HTTP_TIMES,
      requestTimeout: 300,
      http: { ...HTTP_TIMES.http, headersTimeout: 300, connectionsCheckingInterval: 50 },
    };
    const port = await serve({}, times);
    const slow = open(port);
    slow.socket.write('GET / HTTP/1.1\r\nHost: a\r\n');
    const drip = setInterval(() => slow.socket.write('X'), 40);
    await vi.waitFor(() => expect(slow.closed()).toBe(true), 3000);
    clearInterval(drip);
  });
});
