import { randomBytes } from 'node:crypto';
import { readdirSync, statSync, truncateSync } from 'node:fs';
import { join } from 'node:path';
import { concatBytes, sha256Hex } from '@coferment/crypto';
import { beforeEach, describe, expect, it } from 'vitest';
import { ObjectCache, type StoredObject } from './object.cache.js';
import { temporaryFolder } from '../testing/temporary.folder.fixture.js';

const bytes = new Uint8Array(randomBytes(700_000));
let folder: string;
let cache: ObjectCache;

beforeEach(() => {
  folder = temporaryFolder('agent-cache');
  cache = new ObjectCache(folder);
});

async function* pieces(broken = false): AsyncGenerator<Uint8Array> {
  yield bytes.subarray(0, 300_000);
  if (broken) throw new Error('the maker gave up');
  yield await Promise.resolve(bytes.subarray(300_000));
}

async function contentOf(stored: StoredObject | undefined, offset: number): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  for await (const part of stored!.pieces(offset)) parts.push(part);
  expect(Math.max(...parts.map(({ length }) => length))).toBeLessThanOrEqual(262_144);
  return concatBytes(parts);
}

describe('an object that is stored while it is made', () => {
  it('is the same as one that was stored whole, for its owner only', async () => {
    const digest = await cache.write(pieces());
    expect(digest).toBe(sha256Hex(bytes));
    expect(cache.read(digest)).toEqual(bytes);
    expect(cache.store(bytes)).toBe(digest);
    expect(statSync(join(folder, digest)).mode & 0o777).toBe(0o600);
    expect(readdirSync(folder)).toEqual([digest]);
  });

  it('leaves nothing behind when its maker fails', async () => {
    await expect(cache.write(pieces(true))).rejects.toThrow('the maker gave up');
    expect(readdirSync(folder)).toEqual([]);
  });
});

describe('a stored object', () => {
  it('is read piece by piece from anywhere', async () => {
    const stored = await cache.find(cache.store(bytes));
    expect(stored).toMatchObject({ digest: sha256Hex(bytes), size: bytes.length });
    expect(await contentOf(stored, 0)).toEqual(bytes);
    expect(await contentOf(stored, 299_999)).toEqual(bytes.subarray(299_999));
  });

  it('that was cut or is gone counts as lost', async () => {
    const digest = cache.store(bytes);
    truncateSync(join(folder, digest), bytes.length - 1);
    expect(await cache.find(digest)).toBeUndefined();
    expect(cache.read(digest)).toBeUndefined();
    cache.remove(digest);
    expect(await cache.find(digest)).toBeUndefined();
  });
});
