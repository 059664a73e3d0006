import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseStatement, type Predicate } from '@coferment/consortium';
import { loadCrypto } from '@coferment/crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { LedgerError } from '../errors/index.js';
import { policyOfLogKey } from '../policy/index.js';
import { recomputeExport } from '../recompute/index.js';
import { type RealLedger, realLedger } from '../recompute/real-ledger.fixture.js';
import { parseVkey, signCheckpoint } from '../note/index.js';
import { MerkleTree, leafHash } from '../tree/index.js';
import { verifyExport } from '../verify/index.js';
import { LOG_KEY, LOG_SEED, LOG_VKEY } from '../verify/sample-ledger.fixture.js';
import { copyLedger, type LedgerSource, progressLines, readFolder } from './index.js';
import { openedObjects, publishedObjects } from './named.objects.js';

const scratch = mkdtempSync(join(tmpdir(), 'ledger-copy-'));
let ledger: RealLedger;
let folder: string;
let folders = 0;

beforeAll(async () => {
  await loadCrypto();
  ledger = await realLedger();
});
beforeEach(() => {
  folder = join(scratch, `${folders++}`);
});
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

const digestOf = (path: string) => path.slice('objects/'.length);
const stored = () => readdirSync(join(folder, 'objects')).toSorted();

/** The ledger as somebody serves it, and what was asked of it. */
class ServedLedger implements LedgerSource {
  readonly asked: { digest: string; offset: number }[] = [];
  readonly objects = new Map(
    [...ledger.files].filter(([path]) => path.startsWith('objects/')).map(([path, bytes]) => [digestOf(path), bytes]),
  );
  /** Bytes after which the line is cut, once. */
  cutAfter = Number.POSITIVE_INFINITY;

  /** Questions that are answered before witnesses have cosigned. */
  pendingFor = 0;

  /** What has its cosignatures; the newest has not. */
  witnessed = '';

  checkpoint = () =>
    Promise.resolve({
      checkpoint: Buffer.from(ledger.files.get('checkpoint')!).toString(),
      pending: this.pendingFor-- > 0,
      witnessed: this.witnessed,
    });

  entries(start: number, limit: number) {
    const { entries, payloads } = ledger.log;
    return Promise.resolve(entries.slice(start, start + limit).map((entry, index) => ({ entry, payload: payloads[start + index]! })));
  }

  consistencyProof(older: number, newer: number) {
    return Promise.resolve(new MerkleTree(ledger.log.entries.map(leafHash)).consistencyProof(BigInt(older), BigInt(newer)));
  }

  async *object(digest: string, offset: number): AsyncGenerator<Uint8Array> {
    this.asked.push({ digest, offset });
    const bytes = await Promise.resolve(this.objects.get(digest));
    if (bytes === undefined) throw new LedgerError('missing-resource', `There is no object ${digest}.`);
    for (let at = offset; at < bytes.length; at += 1000) {
      if (at >= this.cutAfter) {
        this.cutAfter = Number.POSITIVE_INFINITY;
        throw new Error('the line was cut');
      }
      yield bytes.subarray(at, at + 1000);
    }
  }
}

describe('a ledger copied with objects', () => {
  it('is what every sum is recomputed from', async () => {
    const copied = await copyLedger(new ServedLedger(), LOG_VKEY, folder, { withObjects: true });
    // Plan, roster and 8 sums; 4 × 1 + 4 + 4 + 3 + 4 uploads and 8 × 4 shares.
    expect(copied).toEqual({ entries: ledger.log.entries.length, uncosigned: 0, objects: 10 + 19 + 32, absent: [] });
    expect(await recomputeExport(folder, { policy: policyOfLogKey(LOG_KEY), choice: { of: 'all' } })).toMatchObject({ verdict: 'holds' });
  });

  it('has nothing that no published sum was opened from', async () => {
    const statements = ledger.log.payloads.map(parseStatement);
    const opened = openedObjects(statements);
    const late = structuredClone(statements.find(({ name }) => name === 'contribution')!);
    Object.assign(late.predicate, { k: 'a'.repeat(64), object: 'b'.repeat(64) } satisfies Partial<Predicate<'contribution'>>);
    const unnamed = structuredClone(statements.find(({ name }) => name === 'share')!);
    Object.assign(unnamed, { digest: 'c'.repeat(64) });
    Object.assign(unnamed.predicate, { object: 'd'.repeat(64) } satisfies Partial<Predicate<'share'>>);
    expect(openedObjects([...statements, late, unnamed])).toEqual(opened);
    const unpublished = statements.filter(({ name, predicate }) => !(name === 'aggregate' && predicate.sum === 6));
    expect(opened.length - openedObjects(unpublished).length).toBe(8);
    const dealing = statements.find(({ name }) => name === 'dealing')!.predicate as Predicate<'dealing'>;
    for (const secret of [dealing.masked, dealing.boxes[0]!['object']])
      expect([...opened, ...publishedObjects(statements)]).not.toContain(secret);
  });

  it('waits for witnesses that are still being asked, and says so', async () => {
    const source = new ServedLedger();
    source.pendingFor = 2;
    const told: string[] = [];
    await copyLedger(source, LOG_VKEY, folder, { progress: (done, all, what) => void told.push(`${done} of ${all} ${what}`) });
    expect(source.pendingFor).toBe(-1);
    expect(told.filter((line) => line.endsWith('seconds of waiting for witnesses'))).toHaveLength(2);
  });

  it('ends where witnesses have cosigned, when they have not come to the newest, and says how much that leaves out', async () => {
    const source = new ServedLedger();
    const { entries } = ledger.log;
    const size = BigInt(entries.length - 3);
    const root = new MerkleTree(entries.slice(0, -3).map(leafHash)).root();
    source.witnessed = signCheckpoint({ origin: parseVkey(LOG_VKEY).name, size, root }, LOG_SEED);
    expect(await copyLedger(source, LOG_VKEY, folder)).toMatchObject({ entries: Number(size), uncosigned: 3 });
    expect(readFileSync(join(folder, 'checkpoint'), 'utf8')).toBe(source.witnessed);
    expect(await verifyExport(readFolder(folder), { policy: policyOfLogKey(LOG_KEY), threads: 1 })).toMatchObject({ verdict: 'holds' });
  });

  it('without them has plan, roster and sums only', async () => {
    expect(await copyLedger(new ServedLedger(), LOG_VKEY, folder)).toMatchObject({ objects: 10, absent: [] });
    expect(stored()).toHaveLength(10);
  });

  it('goes on where it was interrupted, and fetches nothing twice', async () => {
    const source = new ServedLedger();
    const upload = digestOf(ledger.pathOf('upload', 6, 'alpha'));
    source.cutAfter = 3000;
    await expect(copyLedger(source, LOG_VKEY, folder, { withObjects: true })).rejects.toThrow('the line was cut');
    expect(existsSync(join(folder, 'checkpoint'))).toBe(false);
    const [part] = stored().filter((name) => name.endsWith('.part'));
    source.asked.length = 0;
    await copyLedger(source, LOG_VKEY, folder, { withObjects: true });
    expect(source.asked[0]).toEqual({ digest: part!.slice(0, 64), offset: 3000 });
    expect(stored().filter((name) => name.endsWith('.part'))).toEqual([]);
    expect(Buffer.compare(readFileSync(join(folder, 'objects', upload)), source.objects.get(upload)!)).toBe(0);
    source.asked.length = 0;
    await copyLedger(source, LOG_VKEY, folder, { withObjects: true });
    expect(source.asked).toEqual([]);
  });

  it('replaces a file that was damaged', async () => {
    await copyLedger(new ServedLedger(), LOG_VKEY, folder, { withObjects: true });
    const path = ledger.pathOf('share', 7, 'delta');
    writeFileSync(join(folder, path), 'damaged');
    const source = new ServedLedger();
    await copyLedger(source, LOG_VKEY, folder, { withObjects: true });
    expect(source.asked).toEqual([{ digest: digestOf(path), offset: 0 }]);
    expect(Buffer.compare(readFileSync(join(folder, path)), ledger.files.get(path)!)).toBe(0);
  });

  it('keeps nothing of an object that comes as other bytes', async () => {
    const source = new ServedLedger();
    const digest = digestOf(ledger.pathOf('upload', 6, 'bravo'));
    source.objects.set(digest, source.objects.get(digest)!.slice(1));
    await expect(copyLedger(source, LOG_VKEY, folder, { withObjects: true })).rejects.toMatchObject({ code: 'payload-mismatch' });
    expect(stored().filter((name) => name.startsWith(digest))).toEqual([]);
    expect(existsSync(join(folder, 'checkpoint'))).toBe(false);
  });

  it('says which uploads and shares the source does not have, and is a ledger all the same', async () => {
    const source = new ServedLedger();
    const lost = digestOf(ledger.pathOf('upload', 7, 'charlie'));
    source.objects.delete(lost);
    expect(await copyLedger(source, LOG_VKEY, folder, { withObjects: true })).toMatchObject({ absent: [lost], objects: 60 });
    expect(existsSync(join(folder, 'checkpoint'))).toBe(true);
  });

  it('is none without one of its sums', async () => {
    const source = new ServedLedger();
    source.objects.delete(digestOf(ledger.pathOf('sum', 6)));
    await expect(copyLedger(source, LOG_VKEY, folder)).rejects.toMatchObject({ code: 'missing-resource' });
    expect(existsSync(join(folder, 'checkpoint'))).toBe(false);
  });
});

it('tells of its progress after two seconds, and then every second', () => {
  let nowMs = 0;
  const lines: string[] = [];
  const progress = progressLines(
    (line) => lines.push(line),
    () => nowMs,
  );
  for (let done = 1; done <= 9; done++) {
    nowMs += 500;
    progress(done, 9, 'objects');
  }
  expect(lines).toEqual(['4 of 9 objects\n', '6 of 9 objects\n', '8 of 9 objects\n']);
});
