import { existsSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { limitsSchema } from '../limits/coordinator.limits.js';
import type { Database } from '../persistence/database.js';
import type { RunViews } from '../runs/run.views.js';
import { runningView } from '../testing/run-view.fixture.js';
import type { ObjectRepository } from './object.repository.js';
import { FolderStore } from './folder.store.js';
import { UploadQuota } from './upload.quota.js';

const MIB = 2 ** 20;
const view = runningView({ state: 'uploading' });
let folder: string;
let stored: number;
let known: boolean;
let quota: UploadQuota;
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'upload-quota-'));
  const settings = { folder, listen: '', limits: limitsSchema.parse({ site: { unfinishedMiB: 2 } }) };
  const store = new FolderStore(settings);
  await store.open();
  [stored, known] = [0, false];
  const repository = { find: () => Promise.resolve(known ? {} : null), countOf: () => Promise.resolve(stored) };
  const database = { transaction: (work: (manager: undefined) => unknown) => work(undefined) };
  const views = { load: () => Promise.resolve(view) };
  quota = new UploadQuota(
    store,
    repository as unknown as ObjectRepository,
    database as unknown as Database,
    views as unknown as RunViews,
    settings,
  );
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const partial = (site: string, digit: string) => join(folder, 'objects', 'partial', `${site}.${digit.repeat(64)}`);
function unfinished(site: string, digit: string, bytes: number, second: number): void {
  writeFileSync(partial(site, digit), Buffer.alloc(bytes));
  utimesSync(partial(site, digit), second, second);
}
const begin = (size: number, digit = 'f') =>
  quota.require('alpha', { digest: digit.repeat(64), size, purpose: 'ciphertext', run: view.run.run });

describe('unfinished uploads of a site', () => {
  it('make room for a new one, the oldest first, and those of others stay', async () => {
    unfinished('alpha', 'a', MIB, 100);
    unfinished('alpha', 'b', MIB, 200);
    unfinished('alpha-2', 'c', 3 * MIB, 50);
    await begin(MIB);
    expect([existsSync(partial('alpha', 'a')), existsSync(partial('alpha', 'b')), existsSync(partial('alpha-2', 'c'))]).toEqual([
      false,
      true,
      true,
    ]);
  });

  it('stay while there is room, and the one that goes on counts once', async () => {
    unfinished('alpha', 'a', MIB, 100);
    unfinished('alpha', 'f', MIB, 50);
    await begin(MIB);
    expect([existsSync(partial('alpha', 'a')), existsSync(partial('alpha', 'f'))]).toEqual([true, true]);
  });

  it('that could never fit are refused, and nothing is thrown away', async () => {
    unfinished('alpha', 'a', MIB, 100);
    await expect(begin(3 * MIB)).rejects.toMatchObject({ code: 'too-many', message: expect.stringContaining('site.unfinishedMiB') });
    expect(existsSync(partial('alpha', 'a'))).toBe(true);
  });
});

describe('whole objects of a site', () => {
  it('are counted, but one that is there already is never refused', async () => {
    stored = 3;
    await expect(begin(75)).rejects.toMatchObject({ code: 'too-many' });
    known = true;
    await expect(begin(75)).resolves.toBeUndefined();
  });
});
