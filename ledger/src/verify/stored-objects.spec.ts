import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { digest } from '@coferment/crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { objectPath, readFolder, writeFolder } from '../export/index.js';
import { verifyExport } from './index.js';
import { exportSample, sampleLedger } from './sample-ledger.fixture.js';
import { check, policy } from './verification.fixture.js';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'stored-objects-'));
});
afterAll(() => rm(folder, { recursive: true }));

describe('the stored objects of a folder', () => {
  it('are hashed as a stream, so that one larger than memory can be checked', async () => {
    const write = writeFolder(folder);
    for (const [file, bytes] of await exportSample(sampleLedger())) await write(file, bytes);
    const changed = objectPath(digest('fixture', 'sum', 6));
    await write(changed, Buffer.from('not the sum'));
    const whole: string[] = [];
    const inner = readFolder(folder);
    const read = Object.assign(
      (path: string) => {
        whole.push(path);
        return inner(path);
      },
      { folder },
    );
    const { problems, detail } = check(await verifyExport(read, { policy }), 'objects');
    expect(problems).toMatchObject([{ where: changed }]);
    expect(detail).toMatch(/^1 of the \d+ objects/);
    expect(whole.filter((path) => path.startsWith('objects/'))).toEqual([]);
    expect(whole).toContain('checkpoint');
  });
});
