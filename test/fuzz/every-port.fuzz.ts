/*
 * Every HTTP port, with bytes that a browser would never send: the public ledger, the monitoring and a witness. Whatever comes, there is an HTTP answer below 500 or
 * the connection is closed, in time; no answer tells of the inside, and afterwards the port answers as before.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { FastifyInstance } from 'fastify';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { TestCoordinator } from '../../coordinator/src/testing/coordinator.fixture.js';

import { ForkableLog, LOG_KEY } from '../../ledger/src/witness/forked-log.fixture.js';
import { formatAddCheckpoint } from '../../ledger/src/witness/index.js';
import { WitnessDesk } from '../../ledger/src/witness/witness.desk.js';
import { witnessServer } from '../../ledger/src/witness/witness.server.js';
import { WitnessStore } from '../../ledger/src/witness/witness.store.js';
import { leakIn } from './every.method.fixture.js';
import { StoredState, UNLIMITED } from './stored.state.fixture.js';
import { mutateText } from './text.mutation.fixture.js';
import { type Dice, diceOf } from './wire.mutation.fixture.js';

const SEED = Number(process.env['FUZZ_SEED'] ?? 1);
/** For each port. */
const CASES = Number(process.env['FUZZ_CASES'] ?? 300);
const AT_ONCE = 20;
/** An unfinished request is hung up here after so long; the servers themselves wait for 10 s. */
const HELD_MS = 300;
const HANG_MS = 30_000;

const coordinator = new TestCoordinator({
  limits: UNLIMITED,
  charter: { ledgerReaders: 'anyone' },
  ledger: { listen: '127.0.0.1:0' },
  monitor: { listen: '127.0.0.1:0' },
});
const folder = mkdtempSync(join(tmpdir(), 'fuzz-witness-'));
const signer = { name: 'witness.example/w', seed: new Uint8Array(32).fill(9) };
const log = ForkableLog.counting(20);
let store: WitnessStore;
let witness: FastifyInstance;
let witnessUrl: string;

beforeAll(async () => {
  await coordinator.start();
  store = new WitnessStore(folder);
  store.addLog(LOG_KEY);
  const unlimited = { requests: 1_000_000, perMs: 60_000, connections: 1000, connectionsPerAddress: 1000 };
  witness = await witnessServer(new WitnessDesk(store, signer), () => {}, unlimited);
  witnessUrl = await witness.listen({ host: '127.0.0.1', port: 0 });
});
afterAll(async () => {
  await witness.close();
  store.close();
  rmSync(folder, { recursive: true });
  await coordinator.remove();
});

const HEAD = 'Host: 127.0.0.1\r\nConnection: close\r\n';
const get = (path: string, more = '') => `GET ${path} HTTP/1.1\r\n${HEAD}${more}\r\n`;
const post = (path: string, body: string) =>
  `POST ${path} HTTP/1.1\r\n${HEAD}Content-Type: text/plain\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`;
const HOSTILE = [
  get('/../../etc/passwd'),
  get('/%2e%2e/%2e%2e/consortium.json'),
  get(`/${'a'.repeat(9000)}`),
  get('/', `X: ${'x'.repeat(9000)}\r\n`),
  get('/', 'Transfer-Encoding: chunked\r\nContent-Length: 5\r\n'),
  'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
  'CONNECT example:443 HTTP/1.1\r\n\r\n',
  post('/', 'x'.repeat(2000)),
  '\u0016\u0003\u0001',
];

interface Port {
  url: () => string;
  seeds: () => readonly string[];
  well: string;
}

const ports: Record<string, Port> = {
  'the ledger': {
    url: () => coordinator.running.ledgerUrl!,
    seeds: () => [
      ...[
        '/checkpoint',
        '/policy.txt',
        '/tile/0/000.p/1',
        '/tile/entries/000.p/1',
        `/payloads/${'a'.repeat(64)}.json`,
        `/objects/${'b'.repeat(64)}`,
      ].map((path) => get(path)),
      get('/checkpoint', 'If-None-Match: "a", W/"b"\r\nRange: bytes=0-5\r\n'),
    ],
    well: get('/checkpoint'),
  },
  'the monitoring': {
    url: () => coordinator.running.monitorUrl!,
    seeds: () => ['/metrics', '/healthz', '/readyz'].map((path) => get(path)),
    well: get('/healthz'),
  },
  'a witness': {
    url: () => witnessUrl,
    seeds: () => [
      post('/add-checkpoint', formatAddCheckpoint({ oldSize: 0n, proof: [], note: log.checkpoint(5) })),
      post('/add-checkpoint', formatAddCheckpoint({ oldSize: 5n, proof: log.proof(5, 20), note: log.checkpoint(20) })),
    ],
    well: post('/add-checkpoint', 'old 0\n\nnothing\n'),
  },
};

/** Sends bytes as they are and reads to the end. @returns the answer; empty when the connection was closed without one */
function exchange(url: string, request: string): Promise<string> {
  const { hostname, port } = new URL(url);
  return new Promise((resolve, reject) => {
    const socket = connect(Number(port), hostname);
    let answer = '';
    const hang = setTimeout(
      () => reject(new Error(`no answer, and the connection stays open: ${JSON.stringify(request.slice(0, 200))}`)),
      HANG_MS,
    );
    socket.setEncoding('latin1');
    socket.on('data', (text) => (answer += String(text)));
    socket.on('error', () => undefined);
    socket.on('close', () => {
      clearTimeout(hang);
      resolve(answer);
    });
    socket.write(Buffer.from(request, 'latin1'));
    setTimeout(() => socket.end(), HELD_MS);
  });
}

const counts: Record<string, number> = {};
describe.each(Object.keys(ports))('%s', (name) => {
  it('answers any bytes below 500 or hangs up, and goes on', async () => {
    const { url, seeds, well } = ports[name]!;
    const texts = seeds();
    const requests = [
      ...HOSTILE,
      ...Array.from({ length: CASES - HOSTILE.length }, (_, number) => mutated(texts, diceOf(SEED, name, number))),
    ];
    const state = new StoredState(coordinator);
    const before = await state.image();
    for (let from = 0; from < requests.length; from += AT_ONCE)
      await Promise.all(
        requests.slice(from, from + AT_ONCE).map(async (request) => {
          const answer = await exchange(url(), request);
          const which = `${JSON.stringify(request.slice(0, 300))} → ${answer.slice(0, 300)}`;
          for (const [, status] of answer.matchAll(/^HTTP\/1\.1 (\d{3})/gm)) expect(Number(status), which).toBeLessThan(500);
          const key = `${name}: ${/^HTTP\/1\.1 (\d{3})/.exec(answer)?.[1] ?? 'closed'}`;
          counts[key] = (counts[key] ?? 0) + 1;
          // Metrics name methods of the wire, not paths of this machine.
          expect(leakIn(answer, [coordinator.folder, folder, process.cwd()]), which).toBeUndefined();
        }),
      );
    expect(await state.image()).toBe(before);
    expect(await exchange(url(), well)).toMatch(/^HTTP\/1\.1 (?:200|400)/);
  });
});

describe('what the witness signed', () => {
  it('is the history of the log that it knows', () => {
    const seen = store.seen(log.checkpoint(5).split('\n')[0]!);
    expect([undefined, log.checkpoint(5), log.checkpoint(20)]).toContain(seen?.note);
  });
});

describe('the requests', () => {
  it('were enough', () => {
    console.error(JSON.stringify(counts));
    expect(Object.values(counts).reduce((sum, count) => sum + count, 0)).toBe(CASES * Object.keys(ports).length);
  });
});

/** Of what is posted half keep their head, so that it is the body that is looked at. */
function mutated(texts: readonly string[], dice: Dice): string {
  const text = dice.of(texts);
  const [, path, body] = /^POST (\S+)[^]*?\r\n\r\n([^]*)$/.exec(text) ?? [];
  return path === undefined || body === undefined || dice.below(2) === 0 ? mutateText(text, dice) : post(path, mutateText(body, dice));
}
