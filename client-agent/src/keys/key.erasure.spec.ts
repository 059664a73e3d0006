import { existsSync, fsyncSync, mkdtempSync, openSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadCrypto } from '@coferment/crypto';
import { beforeAll, expect, it, vi } from 'vitest';
import { KeyStore } from './key.store.js';

vi.mock('node:fs', async (original) => {
  const actual = await original<typeof import('node:fs')>();
  return { ...actual, openSync: vi.fn(actual.openSync), fsyncSync: vi.fn(actual.fsyncSync) };
});
beforeAll(loadCrypto);

it('erased keys stay erased through a power cut: the folder that named them is synchronised', () => {
  const folder = mkdtempSync(join(tmpdir(), 'agent-erasure-'));
  const store = KeyStore.create(folder, 'right passphrase');
  store.write('epochs/r1/1/secret', new Uint8Array([1]));
  vi.mocked(openSync).mockClear();
  vi.mocked(fsyncSync).mockClear();
  store.erase('epochs/r1');
  expect(existsSync(join(folder, 'epochs/r1'))).toBe(false);
  if (process.platform !== 'win32') expect(vi.mocked(openSync)).toHaveBeenCalledWith(join(folder, 'epochs'), 'r');
  if (process.platform !== 'win32') expect(vi.mocked(fsyncSync)).toHaveBeenCalledOnce();
  store.erase('epochs/never-there');
});
