import { chmodSync, existsSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Invite, inviteLine, inviteText } from '@coferment/consortium';
import { loadCrypto, sha256Hex } from '@coferment/crypto';
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { KeyStore } from '../keys/key.store.js';
import { readInvite } from './invite.source.js';
import { joinConsortium } from './join.flow.js';
import { leaveConsortium } from './leave.flow.js';
import { temporaryFolder } from '../testing/temporary.folder.fixture.js';

const invite: Invite = {
  schema: 'coferment-invite/1',
  consortium: 'acme',
  site: 'lab1',
  role: 'site',
  coordinator: '127.0.0.1:1',
  serverName: 'coordinator',
  caCertificate: '-----BEGIN CERTIFICATE-----\nMA==\n-----END CERTIFICATE-----\n',
  caFingerprint: sha256Hex(Buffer.from('MA==', 'base64')),
  operatorKey: 'a'.repeat(64),
  logVkey: 'log',
  origin: 'ledger.example/acme',
  inviteId: '0123456789abcdef',
  secret: 'b'.repeat(64),
  expiresAt: '2030-01-01T00:00:00Z',
};

let folder: string;
let file: string;
beforeAll(loadCrypto);
beforeEach(() => {
  folder = temporaryFolder('agent-join');
  file = join(folder, 'invite.json');
});

describe('an invite file', () => {
  it.each([
    ['a file', inviteText(invite)],
    ['a line', `${inviteLine(invite)}\n`],
  ])('that holds it as %s is read as it was written', (_what, text) => {
    writeFileSync(file, text);
    expect(readInvite(file)).toEqual(invite);
  });

  it('is never the invite itself: arguments are seen by everybody on the machine', async () => {
    const data = join(folder, 'data');
    const joining = joinConsortium({ folder: data, inviteFile: inviteLine(invite), passphrase: 'long enough' });
    await expect(joining).rejects.toMatchObject({ code: 'invite-exposed' });
    await expect(joining).rejects.not.toThrow(inviteLine(invite));
    expect(existsSync(data)).toBe(false);
  });

  it.each([
    ['cut short', inviteText(invite).slice(0, -20)],
    ['with one character changed', inviteText(invite).replace('lab1', 'lab2')],
    ['with a field added', inviteText(invite).replace('{', '{ "extra": 1,')],
    ['that is empty', ''],
    ['with a line that was cut short', inviteLine(invite).slice(0, -8)],
  ])('%s is refused before any key is made', async (_what, text) => {
    writeFileSync(file, text);
    const data = join(folder, 'data');
    await expect(joinConsortium({ folder: data, inviteFile: file, passphrase: 'long enough' })).rejects.toThrow(/damaged.*send it again/s);
    expect(existsSync(data)).toBe(false);
  });

  it('that is missing is named', () => {
    expect(() => readInvite(join(folder, 'none.json'))).toThrow(/none\.json cannot be read/);
  });
});

describe('a join without an invite', () => {
  it('goes on with nothing where none was begun', async () => {
    const data = join(folder, 'data');
    await expect(joinConsortium({ folder: data, passphrase: 'long enough' })).rejects.toMatchObject({ code: 'not-joined' });
    expect(existsSync(data)).toBe(false);
  });

  it.skipIf(process.platform === 'win32')('and a leave do not mend in silence a folder of keys that others could get at', async () => {
    const data = join(folder, 'open');
    KeyStore.create(join(data, 'keys'), 'long enough');
    chmodSync(data, 0o755);
    const passphrase = 'long enough';
    await expect(joinConsortium({ folder: data, passphrase })).rejects.toMatchObject({ code: 'file-mode' });
    await expect(leaveConsortium({ folder: data, passphrase, reason: '', abandonRuns: false })).rejects.toMatchObject({
      code: 'file-mode',
    });
    expect(statSync(data).mode & 0o777).toBe(0o755);
  });
});
