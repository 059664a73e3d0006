import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { createServer as createHttpServer } from 'node:http';
import { createServer } from 'node:https';
import { type AddressInfo, connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { formatAddCheckpoint, openCheckpoint, parseVkey } from '@coferment/ledger';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { createAuthority, issueServer } from '../../coordinator/src/identity/certificate.authority.js';
import { runAudit } from '../../ledger/src/cli/audit.command.js';
import { LyingServer, rearranged, servedFiles, upTo } from '../../ledger/src/http/lying-server.fixture.js';
import { LOG_VKEY, ORIGIN, SITES, type Forgery, sampleLedger } from '../../ledger/src/verify/sample-ledger.fixture.js';
import { ForkableLog, LOG_VKEY as FORK_VKEY, ORIGIN as FORK_ORIGIN } from '../../ledger/src/witness/forked-log.fixture.js';

/** A coordinator turned liar, over real HTTP: each lie is found by the auditor's copy and by a witness, by the commands that a person types. */
const PROGRAM = join(import.meta.dirname, '../../ledger/bin/coferment-audit.js');
const ledger = sampleLedger(undefined, 18);
const SIZE = ledger.entries.length;
const OLD = 260;
const order = upTo(SIZE);
const work = mkdtempSync(join(tmpdir(), 'lying-log-'));
const path = (...names: string[]) => join(work, ...names);
const processes: ChildProcess[] = [];
let server: LyingServer;

async function audit(...words: string[]) {
  let out = '';
  let err = '';
  const code = await runAudit(words, { out: (text) => void (out += text), err: (text) => void (err += text) });
  return { code, out, err };
}

/** A witness in a process of its own, and what it says, line by line. */
async function witness(...flags: string[]) {
  const child = spawn(process.execPath, ['--no-warnings', PROGRAM, 'witness', '--json', ...flags], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  processes.push(child);
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const said = async (event: string): Promise<Record<string, string>> => {
    for (;;) {
      const { value, done } = await lines.next();
      if (done) throw new Error(`the witness ended without "${event}"`);
      const parsed = JSON.parse(value) as Record<string, string>;
      if (parsed['event'] === event) return parsed;
    }
  };
  return { child, said };
}

/** Lets connections through as a company's firewall does (RFC 9110 §9.3.6), and notes where to. */
async function connectProxy() {
  const asked: string[] = [];
  const proxy = createHttpServer().on('connect', (request, socket) => {
    asked.push(request.url!);
    const { hostname, port } = new URL(`http://${request.url!}`);
    const onward = connect(Number(port), hostname, () => {
      socket.write('HTTP/1.1 200 OK\r\n\r\n');
      onward.pipe(socket).pipe(onward);
    });
    for (const end of [socket, onward]) end.on('error', () => {});
  });
  await new Promise<void>((ready) => proxy.listen(0, '127.0.0.1', ready));
  return { server: proxy, asked, url: `http://127.0.0.1:${(proxy.address() as AddressInfo).port}` };
}

beforeAll(async () => {
  server = await LyingServer.start();
  server.files = await servedFiles(rearranged(ledger, upTo(OLD)));
  expect((await audit('fetch', server.url, path('copy'), '--key', LOG_VKEY)).code).toBe(0);
});
afterEach(() => {
  server.lies.clear();
  for (const child of processes.splice(0)) child.kill('SIGKILL');
});
afterAll(async () => {
  await server.stop();
  rmSync(work, { recursive: true });
});

/** name, the order in which entries are served, the first place where that shows; all within what the copy has. */
const lies: [string, number[], number][] = [
  ['rewrites', order.with(123, 5), 123],
  ['drops', order.toSpliced(200, 1), 200],
  ['reorders', order.with(255, 256).with(256, 255), 255],
  ['back-dates', order.toSpliced(30, 0, SIZE - 1), 30],
  ['forks', [...order.slice(0, 259), 3], 259],
  ['forks and is shorter', order.slice(0, 250).with(100, 2), 100],
];

describe.each(lies)('a log that %s entries', (_, lie, entry) => {
  it('is found by a copy of it, with the first entry that differs', async () => {
    server.files = await servedFiles(rearranged(ledger, lie));
    const { code, out } = await audit('fetch', server.url, path('copy'), '--key', LOG_VKEY, '--json');
    expect(code).toBe(1);
    const found = JSON.parse(out) as { kind: string; entry: string; evidence: string; folderSays: string; serverSays: string };
    expect(found).toMatchObject({ kind: 'contradicts', entry: String(entry) });
    expect(found.folderSays).toContain(ledger.names[entry]);
    expect(found.serverSays).toContain(ledger.names[lie[entry]!]);
    expect((await audit('evidence', join(found.evidence, 'evidence.json'), '--key', LOG_VKEY)).code).toBe(1);
  });
});

describe('a log that has rewritten what one reader has a copy of', () => {
  it('is found by every other reader who has the checkpoint of that copy', async () => {
    server.files = await servedFiles(rearranged(ledger, lies[0]![1]));
    const { code, out } = await audit('verify', server.url, '--key', LOG_VKEY, '--earlier', path('copy', 'checkpoint'));
    expect(code).toBe(1);
    expect(out).toContain('earlier checkpoint');
    expect((await audit('verify', path('copy'), '--key', LOG_VKEY)).code).toBe(0);
  });
});

describe('a log that lies about one thing that it serves', () => {
  const payload = () => readdirSync(path('copy', 'payloads'))[9]!;
  it.each([
    ['another tile', 'tile/0/000', (bytes: Buffer) => bytes.with(7, bytes[7]! ^ 1), 'tile/0/000 (entries 0 to 255)'],
    ['another entry', 'tile/entries/000', (bytes: Buffer) => bytes.with(bytes.length - 9, 0x20), 'Entry 255 (in tile/entries/000)'],
    ['half a bundle', 'tile/entries/000', (bytes: Buffer) => bytes.subarray(0, 5000), 'tile/entries/000'],
    ['garbage for a tile', 'tile/1/000.p/1', () => Buffer.from('<html>'), 'tile/1/000.p/1 has 6 bytes'],
    ['a statement that was not signed', () => `payloads/${payload()}`, () => Buffer.from('{}'), /Entry \d+: what is served as payloads/],
  ] as const)('%s: a first copy is refused, and says where', async (_, where, change, message) => {
    const files = new Map(await servedFiles(rearranged(ledger, upTo(OLD))));
    const file = typeof where === 'string' ? where : where();
    server.files = files.set(file, change(Buffer.from(files.get(file)!)));
    const { code, out } = await audit('fetch', server.url, path('first'), '--key', LOG_VKEY);
    expect(code).toBe(1);
    expect(out).toMatch(typeof message === 'string' ? new RegExp(message.replaceAll(/[()/.]/g, String.raw`\$&`)) : message);
    rmSync(path('first'), { recursive: true });
  });

  it.each<[string, Forgery, string]>([
    [
      'a site twice in a round',
      (name, predicate) =>
        name === 'round-frozen' && (predicate as { counted: unknown[] }).counted.length === SITES.length
          ? { ...predicate, counted: [...(predicate as { counted: unknown[] }).counted, (predicate as { counted: unknown[] }).counted[0]] }
          : predicate,
      'round-frozen',
    ],
    [
      'one contribution less than were counted',
      (name, predicate) =>
        name === 'contribution' &&
        (predicate as { site: string; sum: number }).sum === 6 &&
        (predicate as { site: string }).site === 'bravo'
          ? undefined
          : predicate,
      'round-frozen',
    ],
  ])('%s: whoever verifies the URL is told the entry', async (_, forgery, named) => {
    server.files = await servedFiles(sampleLedger(forgery));
    const { code, out } = await audit('verify', server.url, '--key', LOG_VKEY);
    expect(code).toBe(1);
    expect(out).toMatch(new RegExp(String.raw`entry \d+ \(${named}\)`));
  });
});

describe('two readers who are shown two logs', () => {
  it('find it by comparing their checkpoints', async () => {
    for (const [name, last] of [
      ['one', 5],
      ['other', 6],
    ] as const) {
      server.files = await servedFiles(rearranged(ledger, upTo(101).with(100, last)));
      expect((await audit('fetch', server.url, path(name), '--key', LOG_VKEY)).code).toBe(0);
    }
    expect((await audit('verify', path('one'), '--key', LOG_VKEY, '--earlier', path('other', 'checkpoint'))).code).toBe(1);
    const halves = { first: readFileSync(path('one', 'checkpoint'), 'utf8'), second: readFileSync(path('other', 'checkpoint'), 'utf8') };
    writeFileSync(path('both.json'), JSON.stringify({ format: 'coferment-split-view/1', origin: ORIGIN, ...halves }));
    expect((await audit('evidence', path('both.json'), '--key', LOG_VKEY)).code).toBe(1);
  });
});

describe('a witness in a process of its own', () => {
  it('follows an honest log and convicts every fork of it', async () => {
    const data = ['--data', path('follower')];
    server.files = await servedFiles(rearranged(ledger, upTo(OLD)));
    const { child, said } = await witness(...data, '--name', 'w.example/1', '--log', LOG_VKEY, '--follow', server.url, '--every', '1');
    const vkey = (await said('witness'))['vkey']!;
    const cosigned = await said('followed');
    expect(cosigned).toMatchObject({ kind: 'cosigned', size: String(OLD) });
    expect(openCheckpoint(readFileSync(cosigned['file']!), [parseVkey(LOG_VKEY), parseVkey(vkey)]).note.verifiedBy).toHaveLength(2);
    const convicting = lies.slice(1, 4);
    for (const [, lie] of convicting) {
      server.files = await servedFiles(rearranged(ledger, lie));
      let now: Record<string, string>;
      do now = await said('followed');
      while (now['kind'] === 'cosigned');
      expect(now['kind']).toBe('split-view');
    }
    child.kill('SIGTERM');
    await new Promise((ended) => child.once('exit', ended));
    expect(child.exitCode).toBe(0);
    const { code, out } = await audit('witness', ...data, '--status', '--json');
    expect(code).toBe(1);
    const { logs, evidence } = JSON.parse(out) as { logs: object[]; evidence: { file: string; verdict: string }[] };
    expect(logs).toEqual([{ origin: ORIGIN, size: String(OLD) }]);
    expect(evidence.map(({ verdict }) => verdict)).toEqual(convicting.map(() => 'proved'));
    for (const { file } of evidence) expect((await audit('evidence', file, '--key', LOG_VKEY)).code).toBe(1);
  });

  it('cosigns one history of those that are offered at once to two processes with one memory, and keeps to it when killed', async () => {
    const log = ForkableLog.counting(6);
    const data = ['--data', path('raced')];
    const given = path('given.checkpoint');
    writeFileSync(given, log.checkpoint(6));
    expect((await audit('witness', ...data, '--name', 'w.example/2', '--log', FORK_VKEY, '--from', given)).code).toBe(0);
    const start = async () => {
      const { child, said } = await witness(...data, '--listen', '127.0.0.1:0');
      return { child, url: `${(await said('listening'))['address']!}/add-checkpoint` };
    };
    const both = await Promise.all([start(), start()]);
    const offer = async (fork: ForkableLog, url: string, oldSize = 6n) => {
      const body = formatAddCheckpoint({ oldSize, proof: fork.proof(Number(oldSize)), note: fork.checkpoint() });
      const { status, text } = await fetch(url, { method: 'POST', body }).then(async (answer) => ({
        status: answer.status,
        text: await answer.text(),
      }));
      return { fork, status, text };
    };
    const forks = Array.from({ length: 40 }, (_, index) => log.forked(6, 7 + index));
    const answers = await Promise.all(forks.map((fork, index) => offer(fork, both[index % 2]!.url)));
    const [winner, ...others] = answers.filter(({ status }) => status === 200);
    expect(others).toEqual([]);
    expect(answers.filter(({ status }) => status === 409)).toHaveLength(39);
    for (const { child } of both) child.kill('SIGKILL');
    const { url } = await start();
    const again = await offer(log.forked(6, 100), url);
    expect(again).toMatchObject({ status: 409, text: `${winner!.fork.words.length}\n` });
    expect(await offer(winner!.fork, url, BigInt(winner!.fork.words.length))).toMatchObject({ status: 200 });
    expect((await audit('witness', ...data, '--status')).out).toContain(`${FORK_ORIGIN}: ${winner!.fork.words.length} entries`);
  });
});

describe('a server with a certificate of its own company', () => {
  it('is read with its authority, and not without', async () => {
    const authority = await createAuthority('acme');
    const { privateKey, certificate } = await issueServer({ ...authority, lifeMs: 3_600_000 }, 'localhost');
    const files = await servedFiles(rearranged(ledger, upTo(20)));
    const https = createServer({ key: privateKey, cert: certificate }, (request, response) => {
      const bytes = files.get(request.url!.slice(1));
      response.writeHead(bytes ? 200 : 404).end(bytes);
    });
    await new Promise<void>((ready) => https.listen(0, '127.0.0.1', ready));
    const url = `https://localhost:${(https.address() as AddressInfo).port}`;
    writeFileSync(path('ca.pem'), authority.certificate);
    expect(await audit('fetch', url, path('tls'), '--key', LOG_VKEY, '--ca', path('ca.pem'))).toMatchObject({ code: 0, err: '' });
    const without = await audit('verify', url, '--key', LOG_VKEY);
    expect(without.code).toBe(2);
    expect(without.err).toContain('--ca');
    // Through a firewall's proxy, which sees where to, and no more.
    const proxy = await connectProxy();
    vi.stubEnv('HTTPS_PROXY', proxy.url);
    vi.stubEnv('NO_PROXY', '');
    expect((await audit('verify', url, '--key', LOG_VKEY, '--ca', path('ca.pem'))).out).toContain('20 entries');
    vi.unstubAllEnvs();
    expect(new Set(proxy.asked)).toEqual(new Set([new URL(url).host]));
    for (const open of [https, proxy.server]) {
      open.closeAllConnections();
      open.close();
    }
  });
});
