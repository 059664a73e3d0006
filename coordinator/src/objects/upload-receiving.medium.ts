import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ciphertextBytes, loadCrypto, merkleRoot, sha256Hex } from '@coferment/crypto';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { SiteMember } from '../enrolment/site.entity.js';
import type { ConsortiumIdentity } from '../identity/consortium.identity.js';
import type { Database } from '../persistence/database.js';
import { membersOf } from '../runs/run.view.js';
import type { RunViews } from '../runs/run.views.js';
import { runningView } from '../testing/run-view.fixture.js';
import { coefficientsOf } from './object-size.rule.js';
import type { ObjectRow } from './object.entity.js';
import type { ObjectRepository } from './object.repository.js';
import { ObjectService, type UploadPart } from './object.service.js';
import { FolderStore } from './folder.store.js';
import type { ObjectStore } from './object.store.js';

const view = runningView({ state: 'uploading', nonces: [{ site: 'alpha', nonce: 'a'.repeat(64) }] });
const [alpha] = membersOf(view, ['alpha']) as [SiteMember];
let rows: Map<string, ObjectRow>;
let store: ObjectStore;
let service: ObjectService;
let folder: string;
let part: UploadPart;
let bytes: Uint8Array;

beforeAll(loadCrypto);
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'coordinator-uploads-'));
  store = new FolderStore({ folder, listen: '127.0.0.1:0' });
  await store.open();
  rows = new Map();
  const repository = {
    find: (_: unknown, digest: string) => Promise.resolve(rows.get(digest) ?? null),
    save: (_: unknown, row: ObjectRow) => Promise.resolve(void rows.set(row.digest, row)),
  } as unknown as ObjectRepository;
  const database = { transaction: (work: (manager: undefined) => unknown) => work(undefined) } as unknown as Database;
  service = new ObjectService(
    store,
    repository,
    database,
    { load: () => Promise.resolve(view) } as unknown as RunViews,
    { facts: {} } as ConsortiumIdentity,
  );
  bytes = new Uint8Array(ciphertextBytes(coefficientsOf(view, view.rounds[0]!), view.epoch.roster.parameters));
  bytes[3] = 1;
  part = { digest: sha256Hex(bytes), size: bytes.length, offset: 0, purpose: 'ciphertext', run: view.run.run };
});

afterEach(() => rmSync(folder, { recursive: true, force: true }));

async function* piecesOf(whole: Uint8Array, from = 0, to = whole.length, size = 10): AsyncGenerator<Uint8Array> {
  for (let at = from; at < to; at += size) yield await Promise.resolve(whole.slice(at, Math.min(to, at + size)));
}

const stored = () => readFileSync(join(folder, 'objects', part.digest));

describe('an upload', () => {
  it('is stored under its digest, and the root over its blocks is known without reading it again', async () => {
    expect(await service.upload(alpha, part, piecesOf(bytes))).toEqual({ received: bytes.length, complete: true });
    expect(stored().equals(bytes)).toBe(true);
    const root = merkleRoot([Buffer.from(part.digest, 'hex')]);
    expect(await service.merkleRootOf(view, 'alpha', part.digest, 'ciphertext', bytes.length)).toBe(root);
    const leaves = join(folder, 'objects', 'leaves');
    expect(readdirSync(leaves)).toEqual([part.digest]);
    rmSync(join(leaves, part.digest));
    expect(await service.merkleRootOf(view, 'alpha', part.digest, 'ciphertext', bytes.length)).toBe(root);
  });

  it('that was interrupted goes on where it stopped', async () => {
    expect(await service.upload(alpha, part, piecesOf(bytes, 0, 25))).toEqual({ received: 25, complete: false });
    expect(await service.uploadState('alpha', part.digest)).toEqual({ received: 25, complete: false });
    await expect(service.upload(alpha, { ...part, offset: 20 }, piecesOf(bytes, 20))).rejects.toMatchObject({ code: 'wrong-offset' });
    expect(await service.upload(alpha, { ...part, offset: 25 }, piecesOf(bytes, 25))).toMatchObject({ complete: true });
    expect(stored().equals(bytes)).toBe(true);
  });

  it('is taken over by a later one, and what the earlier one still brings is not written', async () => {
    const { promise: resumed, resolve: resume } = Promise.withResolvers<void>();
    const slow = async function* () {
      yield bytes.slice(0, 10);
      await resumed;
      yield bytes.slice(10, 20).fill(7);
    };
    const dead = service.upload(alpha, part, slow());
    while ((await store.received('alpha', part.digest)) < 10) await new Promise((turn) => setTimeout(turn, 5));
    const offset = 10;
    // Its bytes are asked for once it has taken over.
    const later = async function* () {
      resume();
      yield* piecesOf(bytes, offset, bytes.length, 5);
    };
    const taking = service.upload(alpha, { ...part, offset }, later());
    await expect(dead).rejects.toMatchObject({ code: 'wrong-offset' });
    expect(await taking).toMatchObject({ complete: true });
    expect(stored().equals(bytes)).toBe(true);
  });

  it('of other bytes than its digest says is thrown away', async () => {
    const other = bytes.slice();
    other[0]! ^= 1;
    await expect(service.upload(alpha, part, piecesOf(other))).rejects.toMatchObject({ code: 'wrong-digest' });
    expect(await store.received('alpha', part.digest)).toBe(0);
    expect(rows.size).toBe(0);
  });

  it('whose earlier bytes were changed on disk is thrown away', async () => {
    await service.upload(alpha, part, piecesOf(bytes, 0, 20));
    writeFileSync(join(folder, 'objects', 'partial', `alpha.${part.digest}`), new Uint8Array(20).fill(9));
    await expect(service.upload(alpha, { ...part, offset: 20 }, piecesOf(bytes, 20))).rejects.toMatchObject({ code: 'wrong-digest' });
    expect(await service.upload(alpha, part, piecesOf(bytes))).toMatchObject({ complete: true });
  });

  it('that no encryption gives is refused before it can be counted', async () => {
    const malformed = new Uint8Array(bytes.length).fill(255);
    const wrong = { ...part, digest: sha256Hex(malformed) };
    await expect(service.upload(alpha, wrong, piecesOf(malformed))).rejects.toMatchObject({ code: 'malformed' });
    expect(rows.size).toBe(0);
    expect(await store.received('alpha', wrong.digest)).toBe(0);
  });

  it('of more bytes than announced is thrown away', async () => {
    await expect(service.upload(alpha, part, piecesOf(new Uint8Array(bytes.length + 1)))).rejects.toMatchObject({ code: 'wrong-size' });
    expect(await store.received('alpha', part.digest)).toBe(0);
  });

  it('that is gone or cut on disk is no longer what a statement can name', async () => {
    await service.upload(alpha, part, piecesOf(bytes));
    const named = () => service.merkleRootOf(view, 'alpha', part.digest, 'ciphertext', bytes.length);
    await expect(service.merkleRootOf(view, 'beta', part.digest, 'ciphertext', bytes.length)).rejects.toMatchObject({
      code: 'unknown-object',
    });
    await expect(service.merkleRootOf(view, 'alpha', part.digest, 'ciphertext', 1)).rejects.toMatchObject({ code: 'wrong-size' });
    writeFileSync(join(folder, 'objects', part.digest), bytes.subarray(1));
    await expect(named()).rejects.toMatchObject({ code: 'unknown-object' });
  });
});
