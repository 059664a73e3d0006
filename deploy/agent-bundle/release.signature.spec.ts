import { execFileSync, spawnSync } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { temporaryFolder } from '../../client-agent/src/testing/temporary.folder.fixture.ts';
import { has } from './installer.fixture.ts';
import { allowedSigner, publicKeyPem, readSigningKey, signForSsh, signRaw, throwAwayKey } from './release.signature.ts';

const message = Buffer.from(`${'0'.repeat(64)}  some.tar.gz\n`);
const changed = Buffer.from(`${'1'.repeat(64)}  some.tar.gz\n`);

describe('a signing key', () => {
  const pem = (key: 'ed25519' | 'x25519') =>
    generateKeyPairSync(key as 'ed25519')
      .privateKey.export({ type: 'pkcs8', format: 'pem' })
      .toString();

  it('is read from PEM and counts as official', () => {
    expect(readSigningKey(pem('ed25519'), 'key.pem').official).toBe(true);
  });

  it.each([
    ['garbage', 'no key at all'],
    ['a key of another kind', pem('x25519')],
    ['a public key', publicKeyPem(throwAwayKey())],
  ])('that is %s is refused, and the message says how to make one', (_, text) => {
    expect(() => readSigningKey(text, 'key.pem')).toThrow(/key\.pem.*openssl genpkey -algorithm ed25519/s);
  });
});

describe('a signature', () => {
  const key = throwAwayKey();
  let folder: string;
  const file = (name: string): string => join(folder, name);

  beforeAll(() => {
    folder = temporaryFolder('coferment-signature');
    writeFileSync(file('key.pem'), publicKeyPem(key));
    writeFileSync(file('signers'), allowedSigner(key, 'somebody'));
    writeFileSync(file('raw'), signRaw(message, key));
    writeFileSync(file('ssh'), signForSsh(message, key));
    writeFileSync(file('true'), message);
    writeFileSync(file('false'), changed);
  });

  it.skipIf(!has('openssl')).each([
    ['true', 0],
    ['false', 1],
  ])('in raw form is judged by OpenSSL over the %s message: exit code %d', (over, code) => {
    const words = ['pkeyutl', '-verify', '-pubin', '-inkey', file('key.pem'), '-rawin', '-in', file(over), '-sigfile', file('raw')];
    expect(spawnSync('openssl', words).status).toBe(code);
  });

  it.skipIf(!has('ssh-keygen')).each([
    ['true', true],
    ['false', false],
  ])('for ssh-keygen is judged by it over the %s message: %s', (over, good) => {
    const words = ['-Y', 'verify', '-f', file('signers'), '-I', 'somebody', '-n', 'file', '-s', file('ssh')];
    const check = () => execFileSync('ssh-keygen', words, { input: over === 'true' ? message : changed, stdio: ['pipe', 'pipe', 'pipe'] });
    if (good) expect(check().toString()).toContain('Good "file" signature for somebody');
    else expect(check).toThrow();
  });
});
