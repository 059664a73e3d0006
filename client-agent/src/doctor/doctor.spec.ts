import { chmodSync, chownSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { signStatement } from '@coferment/consortium';
import { loadCrypto } from '@coferment/crypto';
import { describe, expect, it } from 'vitest';
import { failed, passed, skipped, warned } from '../connection/finding.js';
import { writeDeparture } from '../enrolment/departure.file.js';
import type { Membership } from '../enrolment/membership.file.js';
import { KeyStore } from '../keys/key.store.js';
import { createSiteIdentity, eraseWorkingKeys, identityKeyHex } from '../keys/site.identity.js';
import { temporaryFolder } from '../testing/temporary.folder.fixture.js';
import { readSubject } from './doctor.subject.js';
import { renderFinding, renderVerdict } from './doctor.text.js';
import { checkFolder, roomFinding } from './folder.checks.js';
import { clockFinding } from './greeting.check.js';
import { itNotice, renderNotice } from './it.notice.js';
import { certificateFinding, checkKeys } from './key.checks.js';

const NOW = Date.parse('2030-01-01T00:00:00Z');
const DAY_MS = 86_400_000;
const GIB = 1024 ** 3;

describe('clocks', () => {
  it.each([
    [0, 'pass', /0 s (ahead|behind)/],
    [30_000, 'pass', /30 s ahead/],
    [30_100, 'warn', /30\.1 s ahead.*from 5 minutes on/],
    [-31_000, 'warn', /31 s behind/],
    [300_000, 'warn', /300 s ahead/],
    [300_100, 'fail', /more than 5 minutes/],
    [-86_400_000, 'fail', /86400 s behind/],
  ])('that are %i ms apart: %s', (skewMs, result, found) => {
    // The answer took 8 s, half of them on the way back.
    expect(clockFinding(NOW + skewMs - 4000, NOW + skewMs + 4000, NOW)).toMatchObject({
      check: 'clock',
      result,
      found: expect.stringMatching(found),
    });
  });
});

describe('a certificate', () => {
  const member = (days: number) => ({ certificateExpiresAt: new Date(NOW + days * DAY_MS).toISOString() }) as Membership;
  it.each([
    [89, 'pass', /89 days\); the serving agent renews it/],
    [0, 'pass', /0 days\); the serving agent renews it/],
    [-40, 'warn', /expired/],
  ])('that ends in %i days: %s', (days, result, found) => {
    expect(certificateFinding(member(days), NOW)).toMatchObject({ result, found: expect.stringMatching(found) });
  });
});

describe('room on the disk', () => {
  it.each([
    [2 * GIB, 0, 'pass'],
    [GIB - 1, 0, 'warn'],
    [GIB / 100, 0, 'fail'],
    [3 * GIB, 4 * GIB, 'fail'],
    [5 * GIB, 4 * GIB, 'pass'],
  ])('%i bytes where plans need %i: %s', (free, needed, result) => expect(roomFinding('/data', free, needed).result).toBe(result));
});

describe('a data folder', () => {
  it('that others can read is named, with the command that ends it', () => {
    const folder = temporaryFolder('doctor');
    mkdirSync(join(folder, 'keys'), { mode: 0o700 });
    writeFileSync(join(folder, 'keys', 'tls.sealed'), '', { mode: 0o600 });
    chmodSync(folder, 0o700);
    expect(checkFolder(folder)).toMatchObject([
      { check: 'disk' },
      { check: 'file rights', result: 'pass' },
      { check: 'journal', result: 'skipped' },
    ]);
    chmodSync(join(folder, 'keys', 'tls.sealed'), 0o644);
    // The agent would not start with it.
    expect(checkFolder(folder)[1]).toMatchObject({
      result: 'fail',
      found: expect.stringMatching(/tls\.sealed \(mode 644\)/),
      advice: expect.stringContaining(`chmod -R go= ${folder}`),
    });
    chmodSync(join(folder, 'keys', 'tls.sealed'), 0o600);
    chmodSync(folder, 0o755);
    expect(checkFolder(folder)[1]).toMatchObject({ result: 'fail' });
    chmodSync(folder, 0o700);
    writeFileSync(join(folder, 'agent.log'), '', { mode: 0o644 });
    expect(checkFolder(folder)[1]).toMatchObject({ result: 'warn', found: expect.stringMatching(/agent\.log/) });
  });

  it('in which no keys were made yet may still be open to others: joining makes it private', () => {
    const folder = temporaryFolder('doctor');
    chmodSync(folder, 0o755);
    expect(checkFolder(folder)[1]).toMatchObject({ check: 'file rights', result: 'warn' });
  });

  it('that is not there yet is looked at where it will be', () => {
    expect(checkFolder(join(temporaryFolder('doctor'), 'a', 'b'))).toMatchObject([
      { check: 'disk', result: 'pass' },
      { result: 'skipped' },
    ]);
  });

  it.runIf(process.getuid?.() === 0)('of another user is left alone', () => {
    const folder = temporaryFolder('doctor');
    chownSync(folder, 1234, 1234);
    expect(checkFolder(folder)).toMatchObject([
      { check: 'file rights', result: 'warn', found: expect.stringMatching(/belongs to user 1234/) },
      { check: 'disk', result: 'skipped' },
      { check: 'journal', result: 'skipped' },
    ]);
  });
});

describe('the keys of a site that has left', () => {
  it('are in order: what it lacks was erased on purpose', async () => {
    await loadCrypto();
    const folder = temporaryFolder('doctor');
    const passphraseFile = join(folder, 'passphrase');
    writeFileSync(passphraseFile, 'a passphrase for tests\n', { mode: 0o600 });
    const store = KeyStore.create(join(folder, 'keys'), 'a passphrase for tests');
    const { identity } = createSiteIdentity(store);
    eraseWorkingKeys(store);
    const statement = signStatement('site-left', { consortium: 'acme', site: 'alder', reason: '' }, identity);
    writeDeparture(folder, {
      schema: 1,
      site: 'alder',
      consortium: 'acme',
      decidedAt: '2030-01-01T00:00:00.000Z',
      state: 'done',
      statement,
    });
    const member = { site: 'alder', consortium: 'acme', identityKey: identityKeyHex(identity) } as Membership;
    expect(await checkKeys(folder, { ...member, certificateExpiresAt: '2030-01-01T00:00:00.000Z' }, { passphraseFile }, 0)).toMatchObject([
      { check: 'key store', result: 'pass' },
      { check: 'certificate', result: 'skipped', found: expect.stringContaining('left acme') },
    ]);
  });
});

describe('a subject', () => {
  it('is a member or an invite; without either it says how to look before joining', () => {
    expect(() => readSubject({})).toThrow(/Neither a data folder nor an invite was named.*doctor --invite FILE/);
    expect(() => readSubject({ data: temporaryFolder('doctor') })).toThrow(/belongs to no consortium yet/);
    expect(() => readSubject({ invite: '/nowhere/invite.json' })).toThrow(/nowhere.*cannot be read/);
  });
});

describe('what is told to the IT department', () => {
  const endpoint = { address: 'coordinator.example:7443', serverName: 'coordinator.f.coferment', caCertificate: '' };
  const findings = [passed('TCP', 'open'), failed('TLS', 'your firewall opens TLS', 'x'), failed('journal', 'it is damaged', 'y')];
  const notice = itNotice({ consortium: 'f', site: 's', endpoint }, findings);

  it('has host, port, direction and protocol, and of what fails only the network', () => {
    expect(notice).toMatchObject({
      host: 'coordinator.example',
      port: 7443,
      direction: 'outbound only',
      failing: ['TLS: your firewall opens TLS'],
    });
    const text = renderNotice(notice).join('\n');
    for (const word of ['TCP port 7443', 'ALPN "h2"', 'TLS 1.2', 'CONNECT', 'a keepalive goes out every 30 s', 'must pass unopened', 'NTP'])
      expect(text).toContain(word);
    expect(text).not.toContain('journal');
  });
});

describe('the screen', () => {
  it('has a line for what was found and one for what to do', () => {
    expect(renderFinding(failed('TCP', 'closed', 'Ask IT.'))).toEqual(['  FAIL  TCP              closed', `${' '.repeat(25)}→ Ask IT.`]);
    expect(renderFinding(passed('clock', 'fine'))).toHaveLength(1);
  });

  it('ends with a verdict that counts what was not looked at', () => {
    expect(renderVerdict([passed('TCP', '')])).toBe('All is well.');
    expect(renderVerdict([passed('TCP', ''), skipped('journal', '')])).toBe('All is well. 1 not looked at.');
    expect(renderVerdict([warned('clock', '', ''), passed('TCP', '')])).toBe('Nothing fails; 1 to look at.');
    expect(renderVerdict([failed('clock', '', ''), skipped('journal', '')])).toMatch(/^1 of 2 checks fails: .* 1 not looked at\.$/);
  });
});
