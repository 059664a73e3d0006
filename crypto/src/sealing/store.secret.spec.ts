import { describe, expect, it } from 'vitest';
import { fileModeFault } from './file.mode.js';
import { readStoreSecret, type SecretEdges, type SecretFlags, type SecretPurpose } from './store.secret.js';

const OWN = 1000;
const PURPOSE: SecretPurpose = { question: 'The passphrase of the keys', shortest: 8 };
const KEY = Uint8Array.from({ length: 32 }, (_, index) => index * 7);

interface File {
  content: string | Uint8Array;
  mode?: number;
  uid?: number;
}

function edges(files: Record<string, File>, more: Partial<SecretEdges> = {}): SecretEdges {
  return {
    environment: {},
    rights: (path) => {
      const file = files[path];
      return file === undefined ? undefined : { mode: file.mode ?? 0o100600, uid: file.uid ?? OWN, isFolder: false, asker: OWN };
    },
    read: (path) => {
      const file = files[path];
      if (file === undefined) throw new Error('ENOENT');
      return Buffer.from(file.content as string);
    },
    ...more,
  };
}

const read = (flags: SecretFlags, machine: SecretEdges, purpose: Partial<SecretPurpose> = {}) =>
  readStoreSecret(flags, machine, { ...PURPOSE, ...purpose });

describe('what opens a store', () => {
  const files = { '/p': { content: 'long enough\nsecond line\n' }, '/k': { content: KEY } };

  it('is the first line of a passphrase file; the other lines are told apart for stores that counted them', async () => {
    await expect(read({ passphraseFile: '/p' }, edges(files))).resolves.toEqual({
      secret: 'long enough',
      allLines: 'long enough\nsecond line',
    });
    for (const content of ['long enough', 'long enough\n', 'long enough\r\n'])
      await expect(read({ passphraseFile: '/p' }, edges({ '/p': { content } }))).resolves.toEqual({ secret: 'long enough' });
  });

  it('is every byte of a key file', async () => {
    await expect(read({ keyFile: '/k' }, edges(files))).resolves.toEqual({ secret: Buffer.from(KEY) });
  });

  it('is the credential of the unit when no option is given', async () => {
    const environment = { CREDENTIALS_DIRECTORY: '/run/credentials/agent.service' };
    const [passphrase, key] = ['coferment-passphrase', 'coferment-key'].map((name) => `/run/credentials/agent.service/${name}`) as [
      string,
      string,
    ];
    // systemd's access list shows as a right of the group.
    const unit = { [passphrase]: { content: 'from systemd\n', mode: 0o100440, uid: 0 } };
    await expect(read({}, edges(unit, { environment }))).resolves.toEqual({ secret: 'from systemd' });
    await expect(read({}, edges({ [key]: { content: KEY, mode: 0o100440 } }, { environment }))).resolves.toMatchObject({
      secret: Buffer.from(KEY),
    });
    await expect(read({ passphraseFile: '/p' }, edges({ ...unit, ...files }, { environment }))).resolves.toMatchObject({
      secret: 'long enough',
    });
    await expect(read({ passphraseFile: passphrase }, edges(unit, { environment }))).resolves.toMatchObject({ secret: 'from systemd' });
    await expect(read({}, edges({ ...unit, [key]: { content: KEY } }, { environment }))).rejects.toMatchObject({
      code: 'no-secret',
      message: expect.stringMatching(/coferment-passphrase and .*coferment-key/),
    });
    await expect(read({}, edges(unit, { environment }), { withoutCredentials: true })).rejects.toMatchObject({ code: 'no-secret' });
    await expect(read({}, edges(unit, { environment: { CREDENTIALS_DIRECTORY: '' } }))).rejects.toMatchObject({ code: 'no-secret' });
  });

  it('is asked for at a terminal last of all, twice when it is new', async () => {
    const asked: string[] = [];
    const answers = ['typed in by hand', 'typed in by hand'];
    const ask = (question: string) => {
      asked.push(question);
      return Promise.resolve(answers[asked.length - 1] ?? 'another one');
    };
    await expect(read({ passphraseFile: '/p' }, edges(files, { ask }))).resolves.toMatchObject({ secret: 'long enough' });
    expect(asked).toEqual([]);
    await expect(read({}, edges({}, { ask }), { isNew: true })).resolves.toEqual({ secret: 'typed in by hand' });
    expect(asked).toHaveLength(2);
    await expect(read({}, edges({}, { ask }))).resolves.toEqual({ secret: 'another one' });
    answers[3] = 'a new passphrase';
    await expect(read({}, edges({}, { ask }), { isNew: true })).rejects.toThrow(/differ/);
    await expect(read({}, edges({}, { ask: () => Promise.resolve('short') }))).rejects.toThrow(/5 characters/);
  });

  it('for a new one is called by its own options, and never taken from where the present one is', async () => {
    const optionNames = { passphraseFile: '--new-passphrase-file', keyFile: '--new-key-file' };
    const purpose = { withoutCredentials: true, optionNames };
    await expect(read({}, edges({}), purpose)).rejects.toThrow(/Give --new-passphrase-file FILE or --new-key-file FILE, or run/);
    await expect(read({ passphraseFile: '/p', keyFile: '/k' }, edges(files), purpose)).rejects.toThrow(/--new-key-file \/k/);
  });

  it.each<[string, SecretFlags, Record<string, File>, RegExp, string]>([
    ['two sources', { passphraseFile: '/p', keyFile: '/k' }, files, /--passphrase-file \/p and --key-file \/k/, 'no-secret'],
    ['no source', {}, files, /--passphrase-file FILE or --key-file FILE, load the systemd credential/, 'no-secret'],
    ['a file that is not there', { passphraseFile: '/none' }, files, /\/none cannot be read/, 'no-secret'],
    ['a short passphrase', { passphraseFile: '/p' }, { '/p': { content: 'short\nand a long second line' } }, /5 characters/, 'no-secret'],
    ['a short key', { keyFile: '/k' }, { '/k': { content: KEY.subarray(1) } }, /31 bytes/, 'no-secret'],
    ['a key of zeros', { keyFile: '/k' }, { '/k': { content: new Uint8Array(32) } }, /not random: it has 1 different/, 'no-secret'],
    ['a large file', { keyFile: '/k' }, { '/k': { content: new Uint8Array(5000) } }, /5000 bytes/, 'no-secret'],
    [
      'a passphrase that a group may read',
      { passphraseFile: '/p' },
      { '/p': { content: 'x', mode: 0o640 } },
      /chmod 600 \/p$/,
      'file-mode',
    ],
    ['a key that everybody may read', { keyFile: '/k' }, { '/k': { content: KEY, mode: 0o604 } }, /chmod 600 \/k$/, 'file-mode'],
  ])('is refused: %s', async (_, flags, there, said, code) => {
    await expect(read(flags, edges(there))).rejects.toMatchObject({ code, message: expect.stringMatching(said) });
  });
});

describe('the mode of a file that holds keys', () => {
  const rights = (mode: number, uid = OWN, asker: number | undefined = OWN) => ({ mode, uid, isFolder: false, asker });

  it('gives nobody but the owner any right, for every mode there is', () => {
    for (let mode = 0; mode < 0o1000; mode++) {
      expect(fileModeFault('/f', rights(mode)) === undefined).toBe(mode % 0o100 === 0);
      const ofRoot = fileModeFault('/f', rights(mode, 0), { mayBeRootsWithGroup: true });
      expect(ofRoot === undefined).toBe([0, 0o40].includes(mode % 0o100));
      expect(fileModeFault('/f', rights(mode, OWN, -1), { mayBeRootsWithGroup: true }) === undefined).toBe(mode % 0o100 === 0);
      expect(fileModeFault('/f', rights(mode, 0, 0), { mayBeRootsWithGroup: true }) === undefined).toBe(mode % 0o100 === 0);
      expect(fileModeFault('/f', { ...rights(mode), asker: undefined })).toBeUndefined();
    }
  });

  it('is shown with the command that mends it', () => {
    expect(fileModeFault('/etc/coferment/p', rights(0o644))).toMatch(/the mode 644: .* Run: chmod 600 \/etc\/coferment\/p$/);
    expect(fileModeFault('/f', rights(0o644, 0), { mayBeRootsWithGroup: true })).toMatch(/chmod 640 \/f$/);
    expect(fileModeFault("/a 'b", { ...rights(0o750), isFolder: true })).toMatch(/chmod -R go-rwx '\/a '\\''b'$/);
  });
});
