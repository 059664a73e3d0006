import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { sha256Hex } from '@coferment/crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { objectPath, readFolder, stateOf } from './index.js';

const bytes = Buffer.from('an object');
const digest = sha256Hex(bytes);
let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'export-folder-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

/** Puts something that is no plain file into its place. */
const traps: readonly [string, (target: string) => void][] = [
  ['a link to a device', (target) => symlinkSync('/dev/zero', target)],
  ['a link to a file elsewhere', (target) => symlinkSync(import.meta.filename, target)],
  ['a pipe that nobody writes into', (target) => void execFileSync('mkfifo', [target])],
  ['a folder', (target) => mkdirSync(target)],
];

function placeFor(path: string): string {
  const target = join(folder, path);
  rmSync(target, { recursive: true, force: true });
  mkdirSync(dirname(target), { recursive: true });
  return target;
}

describe('a folder that a stranger made', () => {
  it.each([
    ['checkpoint', 1_048_576],
    ['policy.txt', 1_048_576],
    ['tile/0/000', 8192],
    ['tile/entries/000', 1_049_088],
    ['payloads/ab.json', 1_048_576],
    [objectPath(digest), 1_073_741_824],
  ])('has no larger %s than can be there: %d bytes', (path, limit) => {
    const target = placeFor(path);
    writeFileSync(target, '');
    truncateSync(target, limit + 1);
    expect(() => readFolder(folder)(path)).toThrow(`has ${limit + 1} bytes`);
    truncateSync(target, Math.min(limit, 1_049_088));
    expect(readFolder(folder)(path)).toHaveLength(Math.min(limit, 1_049_088));
  });

  it.each(traps)('with %s is not read, and nothing waits for it', async (_, lay) => {
    for (const path of ['checkpoint', 'tile/entries/000', objectPath(digest)]) {
      lay(placeFor(path));
      expect(() => readFolder(folder)(path), path).toThrow('is not a plain file');
    }
    await expect(stateOf(folder, { digest, size: undefined })).rejects.toThrow('is not a plain file');
  });

  it('without a file says so and is no error', async () => {
    placeFor(objectPath(digest));
    for (const path of ['nothing', 'nothing/more', objectPath(digest)]) expect(readFolder(folder)(path)).toBeUndefined();
    expect(await stateOf(folder, { digest, size: undefined })).toEqual({ state: 'missing' });
    writeFileSync(placeFor(objectPath(digest)), bytes);
    expect(await stateOf(folder, { digest, size: undefined })).toEqual({ state: 'right' });
    expect(await stateOf(folder, { digest, size: 1 })).toEqual({ state: 'changed', found: digest, size: bytes.length });
  });
});
