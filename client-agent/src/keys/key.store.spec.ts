import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { loadCrypto } from '@coferment/crypto';
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { EpochSecrets, eraseRunSecrets } from './epoch.secrets.js';
import { KeyStore } from './key.store.js';
import { readPassphrase } from './passphrase.file.js';
import { temporaryFolder } from '../testing/temporary.folder.fixture.js';

const RUN = 'r1-0123456789abcdef';
let folder: string;
beforeAll(loadCrypto);
beforeEach(() => {
  folder = temporaryFolder('agent-keys');
});

describe('the key store', () => {
  it('gives back what it was given, to the right passphrase only', () => {
    KeyStore.create(folder, 'right passphrase').write('identity', new Uint8Array([1, 2, 3]));
    expect(KeyStore.open(folder, 'right passphrase').require('identity')).toEqual(new Uint8Array([1, 2, 3]));
    expect(() => KeyStore.open(folder, 'wrong passphrase')).toThrow(/does not open the keys/);
  });

  it('holds nothing in the clear', () => {
    KeyStore.create(folder, 'right passphrase').write('identity', Buffer.from('a very secret key of this site'));
    expect(readFileSync(join(folder, 'identity.sealed')).includes('secret')).toBe(false);
  });

  it('names the record that was altered, swapped or lost', () => {
    const store = KeyStore.create(folder, 'right passphrase');
    store.write('one', new Uint8Array([1]));
    store.write('two', new Uint8Array([2]));
    renameSync(join(folder, 'two.sealed'), join(folder, 'one.sealed'));
    expect(() => store.read('one')).toThrow(/another record than "one"/);
    const bytes = readFileSync(join(folder, 'one.sealed'));
    bytes[bytes.length - 1]! ^= 1;
    writeFileSync(join(folder, 'one.sealed'), bytes);
    expect(() => store.read('one')).toThrow(/damaged at .*one\.sealed/);
    expect(() => store.require('two')).toThrow(/"two" is missing/);
    expect(() => store.read('../outside')).toThrow(/no name/);
  });

  it('says that its header is damaged', () => {
    KeyStore.create(folder, 'right passphrase');
    writeFileSync(join(folder, 'store.json'), '{"schema":1}');
    expect(() => KeyStore.open(folder, 'right passphrase')).toThrow(/damaged at .*store\.json/);
  });
});

describe('secrets of a key epoch', () => {
  it('are drawn once and erased with the run', () => {
    const store = KeyStore.create(folder, 'right passphrase');
    const secrets = new EpochSecrets(store, RUN, 1);
    const { publicKey } = secrets.drawSealingKey();
    secrets.drawNoiseKey();
    const noise = secrets.noiseKey();
    secrets.drawNoiseKey();
    expect(new EpochSecrets(store, RUN, 1).drawSealingKey().publicKey).toEqual(publicKey);
    expect(secrets.noiseKey()).toEqual(noise);
    expect(new EpochSecrets(store, RUN, 2).drawSealingKey().publicKey).not.toEqual(publicKey);
    eraseRunSecrets(store, RUN);
    expect(() => secrets.noiseKey()).toThrow(/missing/);
    expect(() => secrets.keyShare('b')).toThrow(/key share of "b"/);
  });
});

describe('the passphrase file', () => {
  it('counts by its first line', () => {
    writeFileSync(join(folder, 'p'), 'long enough\nsecond line\n');
    expect(readPassphrase(join(folder, 'p'))).toBe('long enough');
    writeFileSync(join(folder, 'p'), 'short\n');
    expect(() => readPassphrase(join(folder, 'p'))).toThrow(/5 characters/);
    expect(() => readPassphrase(join(folder, 'none'))).toThrow(/cannot be read/);
  });
});
