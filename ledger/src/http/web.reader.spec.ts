import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { type ServerResponse, createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { WebReader, webPrefix } from './index.js';
import { LyingServer } from './lying-server.fixture.js';
import { delayMs } from './retry.schedule.js';

const quick = { userAgent: 'test/1', retries: { attempts: 3, firstDelayMs: 1, maxDelayMs: 5 }, idleMs: 400 };
let server: LyingServer;
let reader: WebReader;

beforeAll(async () => {
  server = await LyingServer.start();
  reader = new WebReader(server.url, quick);
});
afterEach(() => {
  server.lies.clear();
  server.asked.length = 0;
});
afterAll(async () => {
  await reader.close();
  await server.stop();
});

const tile = new Uint8Array(64).fill(7);

describe('what a hostile server can send', () => {
  it.each([
    ['more than a tile can be', (response: ServerResponse) => response.end(Buffer.alloc(9000))],
    [
      'a small body that unpacks to a large one',
      (response: ServerResponse) => response.writeHead(200, { 'content-encoding': 'gzip' }).end(gzipSync(Buffer.alloc(50_000_000))),
    ],
  ])('%s: it is not read on', async (_, lie) => {
    server.lies.set('tile/0/000', (__, response) => lie(response));
    await expect(reader.read('tile/0/000')).rejects.toThrow('larger than 8192 bytes');
    expect(server.asked).toHaveLength(1);
  });

  it('an endless body: it is not read on', async () => {
    server.lies.set('checkpoint', (_, response) => {
      const more = () => {
        while (response.write(Buffer.alloc(65_536)));
      };
      response.on('drain', more);
      more();
    });
    await expect(reader.read('checkpoint')).rejects.toMatchObject({ code: 'too-large' });
  });

  it('fewer bytes than it says, or no HTTP at all: it is asked again, then given up', async () => {
    server.lies.set('checkpoint', (_, response) => {
      response.writeHead(200, { 'content-length': '100' });
      response.write('cut');
      setTimeout(() => response.destroy(), 5);
    });
    await expect(reader.read('checkpoint')).rejects.toMatchObject({ code: 'unreachable' });
    server.lies.set('policy.txt', (request) => request.socket.end('SSH-2.0-none\r\n'));
    await expect(reader.read('policy.txt')).rejects.toThrow(/could not be read after 3 attempts/);
    server.lies.set('tile/0/000', (_, response) => response.writeHead(200, { 'content-encoding': 'gzip' }).end('no gzip'));
    await expect(reader.read('tile/0/000')).rejects.toMatchObject({ code: 'unreachable' });
    expect(server.asked).toHaveLength(9);
  });

  it('nothing, for ever; or a byte now and then, for ever', async () => {
    const hasty = new WebReader(server.url, { ...quick, idleMs: 100, retries: { ...quick.retries, attempts: 1 } });
    server.lies.set('checkpoint', () => {});
    await expect(hasty.read('checkpoint')).rejects.toMatchObject({ code: 'unreachable' });
    server.lies.set('tile/0/001', (_, response) => {
      const timer = setInterval(() => response.write('.'), 20);
      response.on('close', () => clearInterval(timer));
    });
    await expect(hasty.read('tile/0/001')).rejects.toMatchObject({ code: 'too-slow' });
    await hasty.close();
  });

  it.each([
    ['another server', 'http://127.0.0.1:1/acme/checkpoint', 'leads to another server, http://127.0.0.1:1'],
    ['itself, for ever', '/acme/checkpoint', 'leads on and on'],
  ])('a redirect to %s', async (_, location, message) => {
    server.lies.set('checkpoint', (__, response) => response.writeHead(302, { location }).end());
    await expect(reader.read('checkpoint')).rejects.toThrow(message);
  });

  it('an encoding that was not asked for, or a refusal', async () => {
    server.lies.set('checkpoint', (_, response) => response.writeHead(200, { 'content-encoding': 'br' }).end('x'));
    await expect(reader.read('checkpoint')).rejects.toMatchObject({ code: 'malformed' });
    server.lies.set('checkpoint', (_, response) => response.writeHead(403).end());
    await expect(reader.read('checkpoint')).rejects.toThrow('answers 403');
  });
});

describe('a server that is only busy', () => {
  it.each([429, 503, 500])('with %i is asked again', async (status) => {
    let left = 2;
    server.lies.set('tile/0/000', (_, response) => response.writeHead(left-- > 0 ? status : 200, { 'retry-after': '0' }).end(tile));
    expect(await reader.read('tile/0/000')).toEqual(tile);
  });

  it('may send compressed bytes, redirect within itself, and have nothing', async () => {
    server.lies.set('a', (request, response) => {
      expect(request.headers).toMatchObject({ 'user-agent': 'test/1', 'accept-encoding': 'gzip, identity' });
      response.writeHead(302, { location: '/acme/b' }).end();
    });
    server.lies.set('b', (_, response) => response.writeHead(200, { 'content-encoding': 'gzip' }).end(gzipSync(tile)));
    expect(await reader.read('a')).toEqual(tile);
    expect(await reader.read('nothing')).toBeUndefined();
  });

  it('is waited for longer each time, as long as it asks, up to a bound', () => {
    const schedule = { attempts: 5, firstDelayMs: 100, maxDelayMs: 1000 };
    expect([1, 2, 3, 4, 5].map((failed) => delayMs(schedule, failed, undefined, 0))).toEqual([100, 200, 400, 800, 1000]);
    expect(delayMs(schedule, 1, undefined, 1)).toBe(125);
    expect(delayMs(schedule, 1, '900', 0)).toBe(1000);
    expect(delayMs(schedule, 1, new Date(500).toUTCString(), 0, 0)).toBe(100);
    expect(delayMs(schedule, 1, 'tomorrow', 0)).toBe(100);
  });

  it('is read by sixteen connections at most, which are kept', async () => {
    server.lies.set('tile/0/000', (_, response) => void setTimeout(() => response.end(tile), 5));
    server.mostAtOnce = 0;
    await Promise.all(Array.from({ length: 60 }, () => reader.read('tile/0/000')));
    expect(server.mostAtOnce).toBeGreaterThan(4);
    expect(server.mostAtOnce).toBeLessThanOrEqual(16);
  });
});

describe('a large resource', () => {
  it('goes to a file, and what a failed attempt left there does not count', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'save-'));
    let isFirst = true;
    server.lies.set('objects/a', (_, response) => {
      response.writeHead(200, { 'content-length': '64' });
      if (!isFirst) return void response.end(tile);
      isFirst = false;
      response.write('wrong');
      setTimeout(() => response.destroy(), 5);
    });
    expect(await reader.save('objects/a', join(folder, 'a'))).toMatchObject({ bytes: 64 });
    expect(new Uint8Array(await readFile(join(folder, 'a')))).toEqual(tile);
    expect(await reader.save('objects/b', join(folder, 'b'))).toBeUndefined();
    await rm(folder, { recursive: true });
  });
});

describe('the way to a server', () => {
  it('goes through the proxy that the environment names, except where it must not', async () => {
    const through: string[] = [];
    const proxy = createServer((request, response) => {
      through.push(request.url!);
      response.end(tile);
    });
    await new Promise<void>((ready) => proxy.listen(0, '127.0.0.1', ready));
    server.lies.set('checkpoint', (_, response) => response.end(tile));
    vi.stubEnv('HTTP_PROXY', `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`);
    vi.stubEnv('NO_PROXY', '');
    const proxied = new WebReader(server.url, quick);
    expect(await proxied.read('checkpoint')).toEqual(tile);
    expect(through).toEqual([`${server.url}/checkpoint`]);
    vi.stubEnv('NO_PROXY', '127.0.0.1');
    const direct = new WebReader(server.url, quick);
    expect(await direct.read('checkpoint')).toEqual(tile);
    expect(through).toHaveLength(1);
    vi.unstubAllEnvs();
    await Promise.all([proxied.close(), direct.close()]);
    proxy.closeAllConnections();
    proxy.close();
  });

  it.each([
    ['no URL', 'ledger'],
    ['another protocol', 'ftp://ledger.example/acme'],
    ['a password', 'https://a:b@ledger.example/acme'],
    ['a query', 'https://ledger.example/acme?x=1'],
  ])('is refused with %s', (_, address) => {
    expect(() => webPrefix(address)).toThrow(Error);
  });

  it('begins at the prefix, with or without a slash', () => {
    expect(webPrefix('https://ledger.example/acme').href).toBe('https://ledger.example/acme/');
    expect(new URL('tile/0/000', webPrefix('https://ledger.example/acme/')).href).toBe('https://ledger.example/acme/tile/0/000');
  });
});
