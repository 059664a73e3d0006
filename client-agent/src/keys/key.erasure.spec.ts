import { existsSync, fsyncSync, linkSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { loadCrypto } from '@coferment/crypto';
import { beforeAll, beforeEach, expect, it, vi } from 'vitest';
import { EpochSecrets, eraseEpochSecrets } from './epoch.secrets.js';
import { KeyStore } from './key.store.js';
import { temporaryFolder } from '../testing/temporary.folder.fixture.js';

vi.mock('node:fs', async (original) => {
  const actual = await original<typeof import('node:fs')>();
  return { ...actual, openSync: vi.fn(actual.openSync), fsyncSync: vi.fn(actual.fsyncSync) };
});
const posix = process.platform !== 'win32';
const RUN = 'r1-0123456789abcdef';
let folder: string;
let store: KeyStore;
beforeAll(loadCrypto);
beforeEach(() => {
  folder = temporaryFolder('agent-erasure');
  store = KeyStore.create(folder, 'right passphrase');
});

it('erased keys stay erased through a power cut: the folder that named them is synchronised', () => {
  store.write('epochs/r1/1/secret', new Uint8Array([1]));
  vi.mocked(openSync).mockClear();
  vi.mocked(fsyncSync).mockClear();
  store.erase('epochs/r1');
  expect(existsSync(join(folder, 'epochs/r1'))).toBe(false);
  if (posix) expect(vi.mocked(openSync)).toHaveBeenLastCalledWith(join(folder, 'epochs'), 'r');
  if (posix) expect(vi.mocked(fsyncSync)).toHaveBeenCalledTimes(2);
  store.erase('epochs/never-there');
});

it('erased keys are overwritten, and so is what a power cut has left of writing them', () => {
  store.write('epochs/r1/1/share/acme', new Uint8Array(5000).fill(7));
  const record = join(folder, 'epochs/r1/1/share/acme.sealed');
  const leftover = `${record}.0123456789ab.tmp`;
  writeFileSync(leftover, 'half a record');
  // A second name keeps the blocks of the file in reach, as a disk does.
  const names = [record, leftover].map((path, index) => {
    linkSync(path, join(folder, `kept-${index}`));
    return join(folder, `kept-${index}`);
  });
  const before = names.map((name) => readFileSync(name).length);
  store.erase('epochs/r1');
  expect(names.map((name) => readFileSync(name))).toEqual(before.map((length) => Buffer.alloc(length)));
});

it('one epoch is erased and the next one stays', () => {
  const [first, second] = [1, 2].map((epoch) => new EpochSecrets(store, RUN, epoch));
  for (const secrets of [first!, second!]) {
    secrets.drawSealingKey();
    secrets.drawNoiseKey();
    secrets.storeSecretKey(new Uint8Array(9));
    secrets.storeKeyShare('b', new Uint8Array(9));
  }
  eraseEpochSecrets(store, RUN, 1);
  // Nothing is drawn again for an epoch that is over.
  for (const read of [() => first!.sealingKey(), () => first!.noiseKey(), () => first!.secretKey()]) expect(read).toThrow(/missing/);
  expect(() => first!.keyShare('b')).toThrow(/key share of "b"/);
  for (const read of [() => second!.sealingKey(), () => second!.noiseKey(), () => second!.secretKey(), () => second!.keyShare('b')])
    expect(read).not.toThrow();
});
