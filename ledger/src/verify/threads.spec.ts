import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readFolder, writeFolder } from '../export/index.js';
import type { ReadFile } from '../tiles/index.js';
import { type Recorded, verifyExport } from './index.js';
import { exportSample, sampleLedger } from './sample-ledger.fixture.js';
import { failing, policy, problems } from './verification.fixture.js';

/** A ledger that is large enough to be checked on threads. */
const ROUNDS = 180;
let folder: string;
let files: Map<string, Uint8Array>;
const inMemory: ReadFile = (path) => Promise.resolve(files.get(path));

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'threads-'));
  files = await exportSample(sampleLedger(undefined, ROUNDS));
  const write = writeFolder(folder);
  for (const [path, bytes] of files) await write(path, bytes);
});

afterAll(() => rm(folder, { recursive: true }));

describe('a check on two threads', () => {
  it('comes to the same report as on one, and tells every statement in order', async () => {
    const told: number[] = [];
    const progress: number[] = [];
    const onStatement = ({ index }: Recorded) => void told.push(index);
    const onTwo = await verifyExport(readFolder(folder), { policy, threads: 2, onStatement, onProgress: (done) => progress.push(done) });
    expect(onTwo.verdict).toBe('holds');
    expect(onTwo).toEqual(await verifyExport(readFolder(folder), { policy, threads: 1 }));
    const size = Number(onTwo.log?.size);
    expect(size).toBeGreaterThan(2048);
    expect(told).toEqual(Array.from({ length: size }, (_, index) => index));
    expect(progress.slice(0, 2)).toEqual([256, 512]);
    expect(progress.at(-1)).toBe(size);
  });

  it('works on files that only this thread can read', async () => {
    expect((await verifyExport(inMemory, { policy, threads: 2 })).verdict).toBe('holds');
  });

  it('names what was changed, whichever thread found it', async () => {
    const path = [...files.keys()].find((name) => name.startsWith('payloads/'))!;
    const changed = new Map(files).set(path, Buffer.from('{}'));
    changed.delete('tile/0/004');
    const report = await verifyExport((name) => changed.get(name), { policy, threads: 2 });
    expect(failing(report)).toEqual(expect.arrayContaining(['payloads', 'tiles']));
    expect(problems(report, 'tiles')).toEqual(['tile/0/004: it is missing']);
    expect(problems(report, 'payloads')[0]).toContain(`(${path}): the payload was changed`);
  });

  it('fails with the error of a file that cannot be read', async () => {
    const path = [...files.keys()].find((name) => name.startsWith('payloads/'))!;
    const read: ReadFile = (name) => (name === path ? Promise.reject(new Error('the line is dead')) : files.get(name));
    await expect(verifyExport(read, { policy, threads: 2 })).rejects.toThrow('the line is dead');
    await expect(verifyExport(read, { policy, threads: 1 })).rejects.toThrow('the line is dead');
  });

  it('names the entry whose payload was taken from the folder', async () => {
    await rm(
      join(
        folder,
        [...files.keys()].find((name) => name.startsWith('payloads/'))!,
      ),
    );
    const report = await verifyExport(readFolder(folder), { policy, threads: 2 });
    expect(problems(report, 'payloads')[0]).toContain('the payload is missing');
  });
});
