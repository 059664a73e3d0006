import { createServer } from 'node:net';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sha256Hex } from '@coferment/crypto';
import { exportTiles, openCheckpoint, parsePolicy, parseVkey, payloadPath } from '@coferment/ledger';
import { Agent } from 'undici';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { ledgerOf } from '../cli/ledger.reader.js';
import { createAuthority, issueServer } from '../identity/certificate.authority.js';
import { Database } from '../persistence/database.js';
import { ObjectService } from '../objects/object.service.js';
import { LedgerLog } from '../publication/ledger.log.js';
import { PublicationService } from '../publication/publication.service.js';
import { TestCoordinator } from '../testing/coordinator.fixture.js';
import { ScriptedWitness } from '../testing/scripted-witness.fixture.js';
import { WitnessingService } from '../witnessing/witnessing.service.js';

const ORIGIN = 'ledger.localhost/scripted';
const FOR_GOOD = 'public, max-age=31536000, immutable';

let coordinator: TestCoordinator;
let alpha: ScriptedWitness;
let url: string;

beforeAll(async () => {
  coordinator = await new TestCoordinator({
    offerMs: 600_000,
    charter: { ledgerReaders: 'anyone', witnessQuorum: 1 },
    ledger: { listen: '127.0.0.1:0' },
  }).start();
  url = coordinator.running.ledgerUrl!;
  alpha = new ScriptedWitness((await coordinator.join('alpha'))[0]!, ORIGIN);
  await alpha.declare();
  await alpha.work();
});
afterAll(async () => {
  await agent.close();
  await coordinator.remove();
});

const agent = new Agent();
const get = async (
  path: string,
  headers: Record<string, string> = {},
  method: 'GET' | 'HEAD' | 'POST' | 'PUT' | 'DELETE' | 'OPTIONS' = 'GET',
) => {
  const answer = await agent.request({ origin: url, path, method, headers });
  return { status: answer.statusCode, headers: answer.headers, body: Buffer.from(await answer.body.arrayBuffer()) };
};
/** However slow the machine is. */
const until = (check: () => unknown) => vi.waitFor(check, 60_000);
const service = () => coordinator.running.context.get(WitnessingService);
const logKey = () => parseVkey(coordinator.running.facts.logVkey);

/** Entries that say nothing, signed by nobody: only their bytes matter here. */
async function fill(count: number): Promise<void> {
  const { context } = coordinator.running;
  await context.get(Database).transaction(async (manager) => {
    await manager.query(
      `INSERT INTO ledger_entry (index, entry, payload) SELECT size + n, convert_to('entry ' || n, 'UTF8'), convert_to('payload ' || n, 'UTF8')
       FROM ledger_head, generate_series(0, $1::int - 1) AS n`,
      [count],
    );
    await manager.query('UPDATE ledger_head SET size = size + $1', [count]);
  });
  await context.get(PublicationService).follow();
}

async function entries(): Promise<Uint8Array[]> {
  const log = coordinator.running.context.get(LedgerLog);
  const all: Uint8Array[] = [];
  while (all.length < log.size) all.push(...(await log.entries(all.length, 256)).map(({ entry }) => entry));
  return all;
}

describe('the public ledger', () => {
  it('shows a checkpoint with its quorum, and the policy that it meets', async () => {
    const { status, headers, body } = await get('/checkpoint');
    expect(status).toBe(200);
    expect(headers).toMatchObject({
      'content-type': 'text/plain; charset=utf-8',
      'cache-control': 'no-cache',
      'access-control-allow-origin': '*',
      'x-content-type-options': 'nosniff',
    });
    const policy = parsePolicy((await get('/policy.txt')).body.toString());
    const { note, size } = openCheckpoint(body, [...policy.logs, ...policy.witnesses]);
    expect(policy.logs).toEqual([logKey()]);
    expect(policy.isMetBy(note.verifiedBy)).toBe(true);
    expect(Number(size)).toBe(service().current!.size);
  });

  it('shows nothing that lies beyond it, and never less than before', async () => {
    const before = (await get('/checkpoint')).body.toString();
    const { size } = service().published!;
    await fill(3);
    await until(() => expect(service().current!.size).toBe(size + 3));
    expect((await get('/checkpoint')).body.toString()).toBe(before);
    const beyond = sha256Hex(Buffer.from('payload 0'));
    for (const path of [
      `/tile/0/000.p/${size + 1}`,
      `/tile/entries/000.p/${size + 1}`,
      '/tile/0/000',
      '/tile/1/000.p/1',
      `/${payloadPath(beyond)}`,
    ])
      expect([path, (await get(path)).status]).toEqual([path, 404]);
    await alpha.work(size);
    expect((await get(`/${payloadPath(beyond)}`)).body.toString()).toBe('payload 0');
    expect((await get(`/tile/0/000.p/${size + 3}`)).status).toBe(200);
  });

  it('serves, byte for byte, what an export holds, and everything in it', async () => {
    await fill(1100);
    await until(() => expect(service().current!.size).toBeGreaterThan(1100));
    await alpha.work(service().published!.size);
    const expected = new Map<string, Uint8Array>();
    await exportTiles((path, bytes) => void expected.set(path, bytes), await entries());
    expect(expected.size).toBeGreaterThan(10);
    for (const [path, bytes] of expected) {
      const { status, headers, body } = await get(`/${path}`);
      expect([path, status]).toEqual([path, 200]);
      expect(body.equals(bytes), path).toBe(true);
      expect(headers).toMatchObject({
        'content-type': 'application/octet-stream',
        'cache-control': FOR_GOOD,
        'content-length': `${bytes.length}`,
      });
    }
    // A narrower tile than the one there is now was served once, and still is.
    expect((await get('/tile/0/000.p/7')).body).toEqual(Buffer.from(expected.get('tile/0/000')!.subarray(0, 7 * 32)));
    for (const { payload } of await ledgerOf(coordinator.operator).entries(0, 8)) {
      const { body, headers } = await get(`/${payloadPath(sha256Hex(payload))}`);
      expect(body.equals(payload)).toBe(true);
      expect(headers).toMatchObject({ 'content-type': 'application/json', 'cache-control': FOR_GOOD });
    }
  });

  it.each(['/checkpoint', '/policy.txt', '/tile/0/000', '/tile/entries/000'])('answers HEAD and If-None-Match for %s', async (path) => {
    const whole = await get(path);
    const head = await get(path, {}, 'HEAD');
    expect(head.body.length).toBe(0);
    for (const name of ['etag', 'content-length', 'content-type', 'cache-control']) expect(head.headers[name]).toBe(whole.headers[name]);
    const tag = String(whole.headers['etag']);
    for (const known of [tag, `W/${tag}`, `"other", ${tag}`]) {
      const answer = await get(path, { 'if-none-match': known });
      expect([answer.status, answer.body.length, answer.headers['etag']]).toEqual([304, 0, tag]);
    }
    expect((await get(path, { 'if-none-match': '"other"' })).status).toBe(200);
  });

  it.each([
    '/',
    '//checkpoint',
    '/checkpoint/',
    '/checkpoint?a=1',
    '/check%70oint',
    '/%zz',
    '/%2e%2e/consortium.json',
    '/../consortium.json',
    '/tile/0/00',
    '/tile/0/000.p/256',
    '/tile/0/x000/000',
    '/tile/9/000',
    '/tile/0/x999/x999/x999/x999/999',
    `/objects/${'0'.repeat(64)}`,
    `/payloads/${'0'.repeat(64)}.json`,
    `/${'a'.repeat(4000)}`,
  ])('has nothing at %s, and says so shortly', async (path) => {
    const { status, headers, body } = await get(path);
    expect(status).toBe(404);
    expect(body.toString()).toBe('There is no such thing in this ledger, or not yet.\n');
    expect(headers['cache-control']).toBe('no-store');
  });

  it.each(['POST', 'PUT', 'DELETE', 'OPTIONS'] as const)('does not answer %s', async (method) => {
    const { status, body } = await get('/checkpoint', {}, method);
    expect([status, body.toString()]).toEqual([404, 'There is no such thing in this ledger, or not yet.\n']);
  });

  it('refuses headers of any size, and bodies', async () => {
    expect((await get('/checkpoint', { 'x-long': 'x'.repeat(20_000) })).status).toBe(431);
    const posted = await agent.request({ origin: url, path: '/checkpoint', method: 'POST', body: 'x'.repeat(100_000) });
    expect(posted.statusCode).toBeGreaterThanOrEqual(400);
    await posted.body.dump();
  });

  it('says nothing of the inside when it fails', async () => {
    vi.spyOn(LedgerLog.prototype, 'entryBundle').mockRejectedValueOnce(new Error('secret inside'));
    const { status, body } = await get('/tile/entries/000.p/5');
    expect([status, body.toString()]).toEqual([
      500,
      'The ledger could not be read. Try again, and tell the operator if it happens twice.\n',
    ]);
  });

  it('streams the objects that readers may have, and closes what nobody reads', async () => {
    const objects = coordinator.running.context.get(ObjectService);
    const digest = sha256Hex(Buffer.from('object'));
    vi.spyOn(objects, 'openForReaders').mockImplementation(async (wanted) =>
      wanted === digest
        ? {
            size: 6,
            chunks: (async function* () {
              yield Buffer.from('obj');
              yield Buffer.from('ect');
            })(),
          }
        : undefined,
    );
    const { headers, body } = await get(`/objects/${digest}`);
    expect(body.toString()).toBe('object');
    expect(headers).toMatchObject({
      'content-length': '6',
      'content-type': 'application/octet-stream',
      'cache-control': FOR_GOOD,
      etag: `"${digest}"`,
    });
    expect((await get(`/objects/${digest}`, {}, 'HEAD')).headers['content-length']).toBe('6');
    expect((await get(`/objects/${digest}`, { 'if-none-match': `"${digest}"` })).status).toBe(304);
    expect((await get(`/objects/${'0'.repeat(64)}`)).status).toBe(404);
  });

  it('stops with the coordinator, and comes back over HTTPS with what it had shown', async () => {
    const before = (await get('/checkpoint')).body.toString();
    await coordinator.stop();
    await expect(get('/checkpoint')).rejects.toThrow();
    const authority = await createAuthority('ledger-test');
    const { certificate, privateKey } = await issueServer({ ...authority, lifeMs: 3_600_000 }, 'ledger.example');
    const tls = { certificateFile: join(coordinator.folder, 'tls.pem'), keyFile: join(coordinator.folder, 'tls.key') };
    writeFileSync(tls.certificateFile, certificate);
    writeFileSync(tls.keyFile, privateKey);
    Object.assign(coordinator.options, { listen: coordinator.running.address, ledger: { listen: '127.0.0.1:0', tls } });
    await coordinator.start();
    const secure = new Agent({ connect: { ca: authority.certificate, servername: 'ledger.example' } });
    const answer = await secure.request({ origin: coordinator.running.ledgerUrl!, path: '/checkpoint', method: 'GET' });
    expect(coordinator.running.ledgerUrl).toMatch(/^https:/);
    expect(await answer.body.text()).toBe(before);
    await secure.close();
  });
});

describe('a start that is to serve the ledger', () => {
  const startIn = async (options: ConstructorParameters<typeof TestCoordinator>[0]) => {
    const other = new TestCoordinator(options);
    try {
      await other.start();
    } finally {
      await other.database?.drop();
      rmSync(other.folder, { recursive: true, force: true });
    }
  };

  it('is refused where the charter does not open it to anyone', async () => {
    await expect(startIn({ ledger: { listen: '127.0.0.1:0' } })).rejects.toMatchObject({
      code: 'forbidden',
      message: expect.stringContaining('members and auditors'),
    });
  });

  it('is refused where its address is taken, or its certificate is not there', async () => {
    const charter = { ledgerReaders: 'anyone' as const };
    const taken = createServer().listen(0, '127.0.0.1');
    await new Promise((listening) => taken.once('listening', listening));
    const { port } = taken.address() as { port: number };
    const folder = mkdtempSync(join(tmpdir(), 'ledger-tls-'));
    const tls = { certificateFile: join(folder, 'none.pem'), keyFile: join(folder, 'none.key') };
    await expect(startIn({ charter, ledger: { listen: `127.0.0.1:${port}` } })).rejects.toMatchObject({ code: 'unreachable' });
    await expect(startIn({ charter, ledger: { listen: '127.0.0.1:0', tls } })).rejects.toMatchObject({ code: 'folder-unusable' });
    await expect(startIn({ charter, ledger: { listen: 'nowhere' } })).rejects.toMatchObject({ code: 'malformed' });
    taken.close();
    rmSync(folder, { recursive: true });
  });
});
