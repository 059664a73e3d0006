import { existsSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ObjectCache } from './object.cache.js';

const [A, B, C] = ['a', 'b', 'c'].map((digit) => digit.repeat(64)) as [string, string, string];

describe('the copies of objects on this machine', () => {
  let folder: string;
  let cache: ObjectCache;
  const write = (digest: string, size = 10) => writeFileSync(join(folder, digest), new Uint8Array(size));
  const there = () => [A, B, C].filter((digest) => existsSync(join(folder, digest)));
  const add = (digest: string, size = 10) => {
    write(digest, size);
    cache.add(digest, size);
  };

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'object-cache-'));
    cache = new ObjectCache(folder, 25);
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  it('that were used longest ago go first', () => {
    add(A);
    add(B);
    expect(cache.use(A)).toBe(10);
    add(C);
    expect([there(), cache.use(B), cache.bytes]).toEqual([[A, C], undefined, 20]);
  });

  it('that are held stay beyond the bound, until the last holder is done', () => {
    const [end, endOther] = [cache.hold(A), cache.hold(A)];
    add(A, 20);
    add(B, 20);
    end();
    expect([there(), cache.bytes]).toEqual([[A], 20]);
    endOther();
    add(B, 20);
    expect([there(), cache.bytes]).toEqual([[B], 20]);
  });

  it('stay when there is one only, whatever its size', () => {
    add(A, 100);
    expect(there()).toEqual([A]);
    add(B);
    expect([there(), cache.bytes]).toEqual([[B], 10]);
  });

  it('are counted once however often they come', () => {
    add(A);
    add(A);
    expect(cache.bytes).toBe(10);
    cache.drop(A);
    cache.drop(A);
    expect([there(), cache.bytes]).toEqual([[], 0]);
  });

  it('that an earlier process left are taken in, oldest first, and nothing else of the folder is', async () => {
    for (const [digest, second] of [
      [B, 1],
      [A, 2],
    ] as const) {
      write(digest);
      utimesSync(join(folder, digest), second, second);
    }
    writeFileSync(join(folder, 'store.json'), '{}');
    await cache.open();
    expect(cache.bytes).toBe(20);
    add(C);
    expect(there()).toEqual([A, C]);
    expect(existsSync(join(folder, 'store.json'))).toBe(true);
  });
});
