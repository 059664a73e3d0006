import {
  chmodSync,
  copyFileSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { argon2Sync } from 'node:crypto';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { deriveStoreKey, loadCrypto, sealAtRest } from '@coferment/crypto';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { z } from 'zod';
import { readFacts } from './consortium.facts.js';
import { found, unlock, unlockOperatorClient } from './consortium.identity.js';
import { changeSecret, readSealed, replaceFile } from './sealed.file.js';

/** The same function at its lowest cost: these tests open stores thousands of times. */
vi.mock('node:crypto', async (original) => {
  const actual = await original<typeof import('node:crypto')>();
  const argon2Sync = vi.fn<typeof actual.argon2Sync>((algorithm, parameters) =>
    actual.argon2Sync(algorithm, { ...parameters, memory: 8, passes: 1 }),
  );
  return { ...actual, argon2Sync };
});

vi.mock('node:fs', async (original) => {
  const actual = await original<typeof import('node:fs')>();
  return { ...actual, renameSync: vi.fn(actual.renameSync) };
});

const PASSPHRASE = 'right passphrase';
const FILES = ['store.json', 'secrets.sealed', 'operator/client.sealed'];
const posix = process.platform !== 'win32';
const scratch = mkdtempSync(join(tmpdir(), 'sealed-'));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

let number = 0;
const founded = async (consortium = 'acme'): Promise<string> => {
  const folder = join(scratch, String(++number));
  mkdirSync(folder, { mode: 0o755 });
  await found(folder, PASSPHRASE, { consortium, origin: 'ledger.localhost/acme' });
  return folder;
};
let original: string;
const copy = (): string => {
  const folder = join(scratch, String(++number));
  cpSync(original, folder, { recursive: true });
  for (const path of ['', 'operator']) chmodSync(join(folder, path), 0o700);
  return folder;
};
beforeAll(async () => {
  await loadCrypto();
  original = await founded();
});

const codeOf = (work: () => unknown): string => {
  try {
    work();
    return 'no error';
  } catch (error) {
    return (error as { code?: string }).code ?? String(error);
  }
};
/** What a start and an operator's command do. */
const outcome = (folder: string, passphrase: string | Uint8Array = PASSPHRASE): string =>
  codeOf(() => {
    unlock(folder, passphrase);
    unlockOperatorClient(folder, passphrase);
  });

describe('the keys of a consortium', () => {
  it('open with the passphrase of their founding and with no other', () => {
    expect(outcome(original)).toBe('no error');
    expect(outcome(original, 'wrong passphrase')).toBe('wrong-passphrase');
    // A file with a second line is the same passphrase now.
    expect(outcome(original, `${PASSPHRASE}\nmore`)).toBe('no error');
  });

  it('cost a founding, a start and all that follows it one Argon2id, and a wrong passphrase its own', async () => {
    vi.mocked(argon2Sync).mockClear();
    const folder = await founded();
    for (let time = 0; time < 3; time++) expect(outcome(folder)).toBe('no error');
    expect(argon2Sync).toHaveBeenCalledTimes(1);
    expect(outcome(folder, 'wrong passphrase')).toBe('wrong-passphrase');
    expect(argon2Sync).toHaveBeenCalledTimes(2);
    expect(outcome(folder)).toBe('no error');
    expect(argon2Sync).toHaveBeenCalledTimes(2);
  });

  it('after every cut and every changed byte are a clear error, never a success', () => {
    const folder = copy();
    const others: unknown[] = [];
    for (const file of FILES) {
      const path = join(folder, file);
      const whole = readFileSync(path);
      const read = () => readSealed(folder, file === 'secrets.sealed' ? 'secrets' : 'operator-client', PASSPHRASE, z.unknown());
      for (let at = 0; at < whole.length; at++) {
        for (const bytes of [whole.subarray(0, at), flipped(whole, at)]) {
          writeFileSync(path, bytes);
          const code = codeOf(read);
          if (code !== 'folder-unusable') others.push({ file, at, code });
        }
      }
      writeFileSync(path, whole);
    }
    expect(others).toEqual([]);
    expect(outcome(folder)).toBe('no error');
  });

  it('in the place of each other, of another consortium or of another founding are refused, with the same passphrase too', async () => {
    const other = await founded();
    const attempts: [string, string][] = [
      [join(original, 'operator/client.sealed'), 'secrets.sealed'],
      [join(original, 'secrets.sealed'), 'operator/client.sealed'],
      ...FILES.map((file): [string, string] => [join(other, file), file]),
    ];
    for (const [from, to] of attempts) {
      const folder = copy();
      copyFileSync(from, join(folder, to));
      expect([from, outcome(folder)]).toEqual([from, 'folder-unusable']);
    }
    const all = copy();
    for (const file of FILES) copyFileSync(join(other, file), join(all, file));
    expect(outcome(all)).toBe('folder-unusable');
    expect(() => unlock(all, PASSPHRASE)).toThrow(/not those of consortium.json beside them: operatorKey differs/);
  });

  it('that are missing, or whose facts are damaged, are named', () => {
    for (const file of [...FILES, 'consortium.json']) {
      const folder = copy();
      rmSync(join(folder, file));
      expect([file, outcome(folder)]).toEqual([file, 'folder-unusable']);
    }
    const folder = copy();
    writeFileSync(join(folder, 'consortium.json'), readFileSync(join(folder, 'consortium.json')).subarray(0, 100));
    expect(() => readFacts(folder)).toThrow(/consortium.json is damaged/);
  });

  it.runIf(posix)('are not opened when others can get at them', () => {
    const folder = copy();
    for (const [path, mode] of [
      ['', 0o755],
      ['operator', 0o710],
      ['store.json', 0o644],
      ['operator/client.sealed', 0o604],
    ] as const) {
      chmodSync(join(folder, path), mode);
      expect(outcome(folder)).toBe('file-mode');
      chmodSync(join(folder, path), path.includes('.') ? 0o600 : 0o700);
    }
    expect(outcome(folder)).toBe('no error');
  });

  it('can have another passphrase, and then have only that', () => {
    const folder = copy();
    const before = unlock(folder, PASSPHRASE);
    changeSecret(folder, PASSPHRASE, new Uint8Array(32).fill(8));
    expect(outcome(folder)).toBe('wrong-passphrase');
    expect(outcome(folder, new Uint8Array(32).fill(8))).toBe('no error');
    expect(unlock(folder, new Uint8Array(32).fill(8)).logSeed).toEqual(before.logSeed);
  });
});

describe('files of the first kind', () => {
  /** As coordinators made them when each file had its own salt and the whole text of the passphrase file counted. */
  const firstKind = (passphrase: string): string => {
    const folder = copy();
    for (const [role, file] of [
      ['secrets', 'secrets.sealed'],
      ['operator-client', 'operator/client.sealed'],
    ] as const) {
      const value = readSealed(folder, role, PASSPHRASE, z.unknown());
      const salt = Buffer.alloc(16, role.length);
      const sealed = sealAtRest(deriveStoreKey(passphrase, salt), Buffer.from(JSON.stringify(value)));
      const content = { schema: 'coferment-sealed/1', salt: salt.toString('base64'), sealed: Buffer.from(sealed).toString('base64') };
      writeFileSync(join(folder, file), `${JSON.stringify(content)}\n`);
    }
    rmSync(join(folder, 'store.json'));
    return folder;
  };

  it('still open, by all lines of a passphrase file too, and come under one key when the passphrase changes', () => {
    const folder = firstKind('two\nlines');
    expect(outcome(folder, 'two\nlines')).toBe('no error');
    expect(outcome(folder, 'two')).toBe('wrong-passphrase');
    changeSecret(folder, 'two\nlines', 'a new passphrase');
    expect(outcome(folder, 'two\nlines')).toBe('wrong-passphrase');
    expect(outcome(folder, 'a new passphrase')).toBe('no error');
  });

  it.each([0, 1, 2, 3])(
    'that get another passphrase open with one of the two when the process is killed after %i of the four files',
    (done) => {
      const folder = firstKind(PASSPHRASE);
      const { renameSync: rename } = vi.mocked({ renameSync });
      const actual = rename.getMockImplementation()!;
      let renamed = 0;
      rename.mockImplementation((from, to) => {
        if (renamed++ === done) throw new Error('killed');
        actual(from, to);
      });
      expect(() => changeSecret(folder, PASSPHRASE, 'a new passphrase')).toThrow('killed');
      rename.mockImplementation(actual);
      // The old one, until the last of the files is there.
      expect([outcome(folder), outcome(folder, 'a new passphrase')]).toEqual(['no error', 'wrong-passphrase']);
      changeSecret(folder, PASSPHRASE, 'a new passphrase');
      expect([outcome(folder), outcome(folder, 'a new passphrase')]).toEqual(['wrong-passphrase', 'no error']);
    },
  );

  it('that were cut or altered are refused', () => {
    const folder = firstKind(PASSPHRASE);
    const path = join(folder, 'secrets.sealed');
    const whole = readFileSync(path);
    for (const at of [0, 20, 50, whole.length - 1]) {
      for (const bytes of [whole.subarray(0, at), flipped(whole, at)]) {
        writeFileSync(path, bytes);
        expect(outcome(folder)).toMatch(/^(folder-unusable|wrong-passphrase)$/);
      }
    }
  });
});

function flipped(bytes: Uint8Array, at: number): Uint8Array {
  const changed = Buffer.from(bytes);
  changed[at]! ^= 1 << (at % 8);
  return changed;
}

describe.runIf(posix)('a file that is replaced', () => {
  it('never goes through what somebody has laid in its way', () => {
    const folder = mkdtempSync(join(scratch, 'open-'));
    const theirs = join(folder, 'theirs');
    writeFileSync(theirs, '', { mode: 0o644 });
    symlinkSync(theirs, join(folder, 'key.draft'));
    replaceFile(join(folder, 'key'), 'secret');
    expect(readFileSync(theirs, 'utf8')).toBe('');
    expect(readFileSync(join(folder, 'key'), 'utf8')).toBe('secret');
    expect(statSync(join(folder, 'key')).mode & 0o777).toBe(0o600);
  });

  it('takes the place of a draft that a crash has left, with rights for its owner only', () => {
    const folder = mkdtempSync(join(scratch, 'open-'));
    writeFileSync(join(folder, 'key.draft'), 'longer than what comes', { mode: 0o644 });
    replaceFile(join(folder, 'key'), 'secret');
    expect(readFileSync(join(folder, 'key'), 'utf8')).toBe('secret');
    expect(statSync(join(folder, 'key')).mode & 0o777).toBe(0o600);
  });
});

describe('a founding', () => {
  it('draws no keys over those of a consortium that has lost its consortium.json', async () => {
    const folder = await founded();
    const files = () => FILES.map((file) => readFileSync(join(folder, file), 'latin1'));
    rmSync(join(folder, 'consortium.json'));
    for (const trace of ['coordinator.json', 'checkpoint']) {
      writeFileSync(join(folder, trace), '');
      const before = files();
      await expect(found(folder, PASSPHRASE, { consortium: 'acme', origin: 'ledger.localhost/acme' })).rejects.toMatchObject({
        code: 'folder-unusable',
        message: expect.stringContaining(trace),
      });
      expect(files()).toEqual(before);
      rmSync(join(folder, trace));
    }
    // Cut off before it had begun, it begins anew.
    await expect(found(folder, PASSPHRASE, { consortium: 'acme', origin: 'ledger.localhost/acme' })).resolves.toBeUndefined();
  });
});
