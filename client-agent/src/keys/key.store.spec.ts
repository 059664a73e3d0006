import { chmodSync, readdirSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { bytesToHex, concatBytes, deriveStoreKey, hash, loadCrypto, sealAtRest } from '@coferment/crypto';
import { beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { EpochSecrets, eraseRunSecrets } from './epoch.secrets.js';
import { KeyStore } from './key.store.js';
import { createSiteIdentity, openSiteIdentity, requireIdentity } from './site.identity.js';
import { readSecret, writeNewKeyFile } from './store.secret.js';
import { temporaryFolder } from '../testing/temporary.folder.fixture.js';

/** The same function at its lowest cost: these tests open stores thousands of times. */
vi.mock('node:crypto', async (original) => {
  const actual = await original<typeof import('node:crypto')>();
  const argon2Sync: typeof actual.argon2Sync = (algorithm, parameters) =>
    actual.argon2Sync(algorithm, { ...parameters, memory: 8, passes: 1 });
  return { ...actual, argon2Sync };
});

const posix = process.platform !== 'win32';
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

describe('the passphrase file and the key file', () => {
  it('open what they have locked', async () => {
    const [passphraseFile, keyFile] = [join(folder, 'p'), join(folder, 'k')];
    writeFileSync(passphraseFile, 'long enough\nsecond line\n', { mode: 0o600 });
    expect(await readSecret({ passphraseFile })).toBe('long enough');
    writeNewKeyFile(keyFile);
    expect(() => writeNewKeyFile(keyFile)).toThrow(/left as it is/);
    if (posix) expect(statSync(keyFile).mode & 0o777).toBe(0o600);
    const keys = join(folder, 'keys');
    KeyStore.create(keys, await readSecret({ keyFile }));
    KeyStore.open(keys, await readSecret({ keyFile }));
    expect(() => KeyStore.open(keys, 'long enough')).toThrow(expect.objectContaining({ code: 'wrong-passphrase' }));
  });

  it('are refused when they cannot be read, are too short, or others can read them', async () => {
    const refusal = (flags: { passphraseFile?: string; keyFile?: string }) => expect(readSecret(flags)).rejects;
    const file = join(folder, 'p');
    await refusal({ passphraseFile: file }).toMatchObject({ code: 'missing-passphrase' });
    await refusal({ passphraseFile: file, keyFile: file }).toMatchObject({ code: 'missing-passphrase' });
    writeFileSync(file, 'short\n', { mode: 0o600 });
    await refusal({ passphraseFile: file }).toMatchObject({ message: expect.stringMatching(/5 characters/) });
    chmodSync(file, 0o640);
    if (posix)
      await refusal({ passphraseFile: file }).toMatchObject({ code: 'file-mode', message: expect.stringContaining(`chmod 600 ${file}`) });
  });
});

/** A store as this program made it when the passphrase itself was the key. */
function firstStore(passphrase: string): void {
  const salt = new Uint8Array(16).fill(5);
  const key = deriveStoreKey(passphrase, salt);
  const write = (name: string, content: Uint8Array) =>
    writeFileSync(join(folder, `${name}.sealed`), sealAtRest(key, concatBytes([hash('key-record', name), content])), { mode: 0o600 });
  write('passphrase-check', new Uint8Array());
  write('identity', new Uint8Array([1, 2, 3]));
  writeFileSync(join(folder, 'store.json'), `{"schema":1,"salt":"${bytesToHex(salt)}"}\n`, { mode: 0o600 });
}

describe('a store of the first kind', () => {
  it('still opens, and can have another passphrase', () => {
    firstStore('right passphrase');
    expect(() => KeyStore.open(folder, 'wrong passphrase')).toThrow(expect.objectContaining({ code: 'wrong-passphrase' }));
    const store = KeyStore.open(folder, 'right passphrase');
    store.write('added', new Uint8Array([4]));
    store.changeSecret('a new passphrase');
    expect(() => KeyStore.open(folder, 'right passphrase')).toThrow(expect.objectContaining({ code: 'wrong-passphrase' }));
    const reopened = KeyStore.open(folder, 'a new passphrase');
    expect([reopened.require('identity'), reopened.require('added')]).toEqual([new Uint8Array([1, 2, 3]), new Uint8Array([4])]);
  });

  it('without its check, or with another one, is damaged', () => {
    firstStore('right passphrase');
    renameSync(join(folder, 'identity.sealed'), join(folder, 'passphrase-check.sealed'));
    expect(() => KeyStore.open(folder, 'right passphrase')).toThrow(expect.objectContaining({ code: 'store-damaged' }));
    renameSync(join(folder, 'passphrase-check.sealed'), join(folder, 'away'));
    expect(() => KeyStore.open(folder, 'right passphrase')).toThrow(expect.objectContaining({ code: 'store-damaged' }));
  });
});

describe('another passphrase', () => {
  it('opens everything that the old one did, which opens nothing any more', () => {
    const store = KeyStore.create(folder, 'right passphrase');
    store.write('identity', new Uint8Array([1, 2, 3]));
    store.changeSecret(new Uint8Array(32).fill(9));
    expect(() => KeyStore.open(folder, 'right passphrase')).toThrow(expect.objectContaining({ code: 'wrong-passphrase' }));
    expect(KeyStore.open(folder, new Uint8Array(32).fill(9)).require('identity')).toEqual(new Uint8Array([1, 2, 3]));
  });
});

describe('whatever happens to the files of a store', () => {
  /** What the agent does at its start with every record that is there, in one word. */
  function outcome(expected: string): string {
    try {
      const store = KeyStore.open(folder, 'right passphrase');
      const { identity, trainingSeed } = openSiteIdentity(store);
      requireIdentity(identity, expected, folder);
      store.require('tls');
      return trainingSeed.length === 32 ? 'opened' : 'another seed';
    } catch (error) {
      return (error as { code?: string }).code ?? String(error);
    }
  }

  function fill(): string {
    const store = KeyStore.create(folder, 'right passphrase');
    store.write('tls', Buffer.from('key and certificate'));
    return bytesToHex(createSiteIdentity(store).identity.publicKey);
  }

  it('every cut and every changed byte is a clear error, never a success', () => {
    const expected = fill();
    expect(outcome(expected)).toBe('opened');
    const others: unknown[] = [];
    for (const file of readdirSync(folder)) {
      const path = join(folder, file);
      const whole = readFileSync(path);
      const tryWith = (bytes: Uint8Array, what: string) => {
        writeFileSync(path, bytes);
        const code = outcome(expected);
        if (code !== 'store-damaged') others.push({ what, code });
      };
      for (let at = 0; at < whole.length; at++) {
        tryWith(whole.subarray(0, at), `${file} cut to ${at}`);
        tryWith(flipped(whole, at), `${file} changed at ${at}`);
      }
      writeFileSync(path, whole);
    }
    expect(others).toEqual([]);
    expect(outcome(expected)).toBe('opened');
  });

  it('files of another record, another site and an older store with the same passphrase are told apart', () => {
    const expected = fill();
    const own = new Map(readdirSync(folder).map((file) => [file, readFileSync(join(folder, file))]));
    const other = temporaryFolder('other-site');
    const otherStore = KeyStore.create(other, 'right passphrase');
    otherStore.write('tls', Buffer.from('key and certificate'));
    createSiteIdentity(otherStore);
    const files = [...own.keys()];
    const put = (contents: Iterable<[string, Uint8Array]>) => {
      for (const [file, bytes] of contents) writeFileSync(join(folder, file), bytes);
    };
    const foreign = new Map(files.map((file) => [file, readFileSync(join(other, file))]));
    const store = KeyStore.open(folder, 'right passphrase');
    const records = files.filter((file) => file !== 'store.json');
    for (const file of records) {
      const others = records.filter((candidate) => candidate !== file).map((candidate) => own.get(candidate)!);
      for (const bytes of [foreign.get(file)!, ...others]) {
        writeFileSync(join(folder, file), bytes);
        expect(() => store.require(file.replace('.sealed', ''))).toThrow(expect.objectContaining({ code: 'store-damaged' }));
      }
      put(own);
    }
    put([['store.json', foreign.get('store.json')!]]);
    expect(outcome(expected)).toBe('store-damaged');
    put(foreign);
    expect(outcome(expected)).toBe('store-damaged');
    put(own);
    expect(outcome(expected)).toBe('opened');
  });

  it.runIf(posix)('keys that others can get at are not opened', () => {
    fill();
    const codeOf = () => {
      try {
        KeyStore.open(folder, 'right passphrase');
      } catch (error) {
        return (error as { code?: string }).code;
      }
      return 'opened';
    };
    for (const [path, mode] of [
      [folder, 0o750],
      [join(folder, 'store.json'), 0o604],
      [join(folder, 'identity.sealed'), 0o640],
    ] as const) {
      const before = statSync(path).mode & 0o777;
      chmodSync(path, mode);
      expect(codeOf()).toBe('file-mode');
      chmodSync(path, before);
    }
    expect(codeOf()).toBe('opened');
  });
});

function flipped(bytes: Uint8Array, at: number): Uint8Array {
  const copy = Buffer.from(bytes);
  copy[at]! ^= 1 << (at % 8);
  return copy;
}
