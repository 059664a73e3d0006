import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { FastifyInstance } from 'fastify';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openCheckpoint, publicKeyFromSeed, signCheckpoint, verifierKey } from '../note/index.js';
import { formatAddCheckpoint } from './index.js';
import { ForkableLog, LOG_KEY, LOG_SEED, ORIGIN } from './forked-log.fixture.js';
import { WitnessDesk } from './witness.desk.js';
import { witnessServer } from './witness.server.js';
import { WitnessStore } from './witness.store.js';

const signer = { name: 'witness.example/w', seed: new Uint8Array(32).fill(9) };
const key = verifierKey('witness', signer.name, publicKeyFromSeed(signer.seed));
const log = ForkableLog.counting(20);
let folder: string;
let store: WitnessStore;
let server: FastifyInstance;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'witness-'));
  store = new WitnessStore(folder);
  store.addLog(LOG_KEY);
  server = await witnessServer(new WitnessDesk(store, signer, () => 1_700_000_000n));
});
afterEach(async () => {
  await server.close();
  store.close();
  rmSync(folder, { recursive: true });
});

const post = async (payload: string, to = server) => {
  const { statusCode, body, headers } = await to.inject({ method: 'POST', url: '/add-checkpoint', payload });
  return { status: statusCode, body, type: headers['content-type'] };
};
const add = (oldSize: number, size: number, of = log, proof = of.proof(oldSize, size), to = server) =>
  post(formatAddCheckpoint({ oldSize: BigInt(oldSize), proof: size === oldSize ? [] : proof, note: of.checkpoint(size) }), to);

describe('POST /add-checkpoint', () => {
  it('answers 200 with lines that verify on the checkpoint, for every step that the log takes', async () => {
    for (const [oldSize, size] of [
      [0, 0],
      [0, 5],
      [5, 5],
      [5, 6],
      [6, 20],
    ] as const) {
      const { status, body } = await add(oldSize, size);
      expect(status, `${oldSize} to ${size}`).toBe(200);
      expect(body).toMatch(/^— .*\n$/);
      expect(openCheckpoint(log.checkpoint(size) + body, [LOG_KEY, key]).note.verifiedBy).toEqual([LOG_KEY, key]);
      expect(store.seen(ORIGIN)?.size).toBe(BigInt(size));
    }
  });

  it.each([
    ['an empty body', () => post(''), 400],
    ['something else', () => post('{"a":1}'), 400],
    ['a checkpoint that is none', () => post('old 0\n\nhello\n'), 400],
    ['an old size above the new one', () => add(7, 6, log, []), 400],
    [
      'a log that it does not know',
      () => post(formatAddCheckpoint({ oldSize: 0n, proof: [], note: log.checkpoint(5, LOG_SEED, 'other.example/log') })),
      404,
    ],
    ['another key', () => post(formatAddCheckpoint({ oldSize: 0n, proof: [], note: log.checkpoint(5, new Uint8Array(32)) })), 403],
    ['a proof at the first time', () => add(0, 9, log, log.proof(5, 9)), 422],
    ['more than it reads', () => post(`old 0\n\n${'x'.repeat(70_000)}`), 413],
  ])('answers %s with its status, and stores nothing', async (_, ask, status) => {
    expect((await ask()).status).toBe(status);
    expect(store.seen(ORIGIN)).toBeUndefined();
    expect(store.evidence()).toEqual([]);
  });

  it('answers 409 with the size that it knows, as text/x.tlog.size', async () => {
    await add(0, 12);
    for (const [oldSize, size] of [
      [0, 20],
      [5, 20],
      [13, 20],
      [5, 5],
      [0, 12],
      [0, 11],
    ] as const)
      expect(await add(oldSize, size), `${oldSize} to ${size}`).toEqual({ status: 409, body: '12\n', type: 'text/x.tlog.size' });
    expect(store.evidence()).toEqual([]);
  });

  it('answers 422 to a proof that does not hold, and keeps both halves', async () => {
    await add(0, 8);
    expect((await add(8, 20, log.forked(7, 20))).status).toBe(422);
    expect((await add(8, 20, log, [])).status).toBe(422);
    expect((await post(formatAddCheckpoint({ oldSize: 8n, proof: log.proof(5, 8), note: log.checkpoint(8) }))).status).toBe(422);
    const impossible = signCheckpoint({ origin: ORIGIN, size: 0n, root: new Uint8Array(32) }, LOG_SEED);
    expect((await post(formatAddCheckpoint({ oldSize: 0n, proof: [], note: impossible }))).status).toBe(409);
    expect(store.seen(ORIGIN)?.size).toBe(8n);
    expect(store.evidence().map(({ verdict }) => verdict)).toEqual(['open', 'open']);
  });

  it('answers 409 to a split of the same size and 422 to one that the proof itself shows, and both are proved', async () => {
    await add(0, 12);
    expect((await add(12, 12, log.forked(4, 12))).status).toBe(409);
    expect((await add(12, 20, log.forked(4, 20))).status).toBe(422);
    expect(store.evidence().map(({ verdict }) => verdict)).toEqual(['proved', 'proved']);
    expect((await add(12, 20)).status).toBe(200);
  });

  it('does not let a stranger fill the disk with the same checkpoint in ever new clothes', async () => {
    await add(0, 8);
    const fork = log.forked(7, 20).checkpoint();
    for (let line = 0; line < 30; line++) {
      const note = `${fork}— stranger.example/${line} ${Buffer.alloc(8, line).toString('base64')}\n`;
      expect((await post(formatAddCheckpoint({ oldSize: 8n, proof: [], note }))).status).toBe(422);
    }
    expect(store.evidence()).toHaveLength(1);
    const other = log.forked(7, 140);
    for (let size = 21; size < 140; size++) await add(8, size, other, []);
    expect(store.evidence()).toHaveLength(100);
  });
});

describe('a witness that is asked at once by two', () => {
  it('cosigns one history, also when two processes share its folder', async () => {
    await add(0, 6);
    const second = new WitnessStore(folder);
    const other = await witnessServer(new WitnessDesk(second, signer));
    const forks = Array.from({ length: 12 }, (_, index) => log.forked(6, 10 + index));
    const answers = await Promise.all(
      forks.map(async (fork, index) => ({ fork, ...(await add(6, fork.words.length, fork, undefined, index % 2 === 0 ? server : other)) })),
    );
    const cosigned = answers.filter(({ status }) => status === 200);
    expect(cosigned).toHaveLength(1);
    expect(answers.filter(({ status }) => status === 409)).toHaveLength(11);
    expect(store.seen(ORIGIN)?.note).toBe(cosigned[0]!.fork.checkpoint());
    await other.close();
    second.close();
  });

  it('has stored what it answers before it signs, and remembers it when it comes back', async () => {
    const cannotSign = new WitnessDesk(store, signer, () => {
      expect(new WitnessStore(folder).seen(ORIGIN)?.size).toBe(6n);
      throw new Error('killed here');
    });
    expect(() => cannotSign.add({ oldSize: 0n, proof: [], note: log.checkpoint(6) })).toThrow('killed here');
    store.close();
    store = new WitnessStore(folder);
    expect(store.seen(ORIGIN)).toEqual({ size: 6n, root: log.tree.root(6n), note: log.checkpoint(6) });
    expect(store.logKeys()).toEqual([LOG_KEY]);
    server = await witnessServer(new WitnessDesk(store, signer));
    expect((await add(0, 6, log.forked(0, 6))).status).toBe(409);
  });

  it('stores nothing when it cannot decide', () => {
    const broken = () =>
      store.advance(ORIGIN, () => {
        throw new Error('broken');
      });
    expect(broken).toThrow('broken');
    store.advance(ORIGIN, () => ({ next: { size: 1n, root: new Uint8Array(32), note: 'a' } }));
    expect(store.seen(ORIGIN)?.size).toBe(1n);
  });
});
