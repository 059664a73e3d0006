import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Invite, inviteText } from '@coferment/consortium';
import { loadCrypto } from '@coferment/crypto';
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { joinConsortium, readInvite } from './join.flow.js';
import { temporaryFolder } from '../testing/temporary.folder.fixture.js';

const invite: Invite = {
  schema: 'coferment-invite/1',
  consortium: 'acme',
  site: 'lab1',
  coordinator: '127.0.0.1:1',
  serverName: 'coordinator',
  caCertificate: 'none',
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
  it('is read as it was written', () => {
    writeFileSync(file, inviteText(invite));
    expect(readInvite(file)).toEqual(invite);
  });

  it.each([
    ['cut short', inviteText(invite).slice(0, -20)],
    ['with one character changed', inviteText(invite).replace('lab1', 'lab2')],
    ['with a field added', inviteText(invite).replace('{', '{ "extra": 1,')],
    ['that is empty', ''],
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
