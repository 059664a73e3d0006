import { mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { PartialFiles } from './partial.files.js';

const folder = mkdtempSync(join(tmpdir(), 'partial-files-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

it('an upload that went on at another coordinator is one, as young as its newer file', async () => {
  const [here, there] = [new PartialFiles(folder, '.here'), new PartialFiles(folder, '.there')];
  await here.open();
  const [moved, other] = ['a'.repeat(64), 'b'.repeat(64)];
  const write = (path: string, bytes: number, changedS: number) => {
    writeFileSync(path, Buffer.alloc(bytes));
    utimesSync(path, changedS, changedS);
  };
  write(here.path('alpha', moved), 10, 1000);
  write(there.path('alpha', moved), 15, 3000);
  write(here.path('alpha', other), 7, 2000);
  const unfinished = await here.unfinished('alpha');
  expect(unfinished.toSorted((a, b) => a.changedMs - b.changedMs)).toEqual([
    { digest: other, bytes: 7, changedMs: 2_000_000 },
    { digest: moved, bytes: 25, changedMs: 3_000_000 },
  ]);
});
