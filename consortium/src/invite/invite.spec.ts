import { deflateRawSync } from 'node:zlib';
import { sha256Hex } from '@coferment/crypto';
import { describe, expect, it } from 'vitest';
import { digestOf } from '../context/members.fixture.js';
import { certificateFingerprint, formatCertificateFingerprint } from './certificate.fingerprint.js';
import { INVITE_PREFIX, type Invite, inviteLine, inviteText, parseInvite } from './invite.js';
import { pseudonymOf } from './pseudonym.js';

const invite: Invite = {
  schema: 'coferment-invite/1',
  consortium: 'test',
  site: 'alpha',
  role: 'site',
  coordinator: 'coordinator.example:7443',
  serverName: 'coferment-coordinator',
  caCertificate: '-----BEGIN CERTIFICATE-----\nMA==\n-----END CERTIFICATE-----\n',
  caFingerprint: sha256Hex(Buffer.from('MA==', 'base64')),
  operatorKey: digestOf(1),
  logVkey: 'ledger.example/a+00000000+AA==',
  origin: 'ledger.example/a',
  inviteId: '0123456789abcdef',
  secret: digestOf(2),
  expiresAt: '2030-01-01T00:00:00.000Z',
};
const opening = { company: 'Brauerei Müller & Söhne', salt: digestOf(3) };
const hidden: Invite = { ...invite, site: pseudonymOf(opening), pseudonym: opening };

const line = inviteLine(invite);
/** A line over any text. */
const lineOf = (text: string): string => `${INVITE_PREFIX}${deflateRawSync(text).toString('base64url')}`;
const swapped = (text: string, at: number): string => `${text.slice(0, at)}${text[at] === 'A' ? 'B' : 'A'}${text.slice(at + 1)}`;

describe('an invite', () => {
  it('that is damaged beside its secret is refused without a word of the secret', () => {
    const file = inviteText(invite);
    const damaged = [file.replace(`"secret": "`, `"secret": ""`), file.replace(`${invite.secret}"`, invite.secret), `{${invite.secret}`];
    for (const text of damaged) {
      const refused = (() => {
        try {
          return JSON.stringify(parseInvite(text));
        } catch (error) {
          return (error as Error).message;
        }
      })();
      expect(refused).toContain('it is not JSON');
      for (let at = 0; at + 6 <= invite.secret.length; at++) expect(refused).not.toContain(invite.secret.slice(at, at + 6));
    }
  });

  it.each([
    ['a file that was cut short', inviteText(invite).slice(0, 200)],
    ['a file with one character changed', inviteText(invite).replace('"alpha"', '"alphb"')],
    ['a file with another role', inviteText(invite).replace('"role": "site"', '"role": "auditor"')],
    ['a file with an unknown field', inviteText(invite).replace('{', '{"extra": 1,')],
    ['a file with an address that has no port', inviteText({ ...invite, coordinator: 'coordinator.example' })],
    ['a file with an IPv6 address without brackets', inviteText({ ...invite, coordinator: '2001:db8::7:7443' })],
    ['a file with the fingerprint of another certificate', inviteText({ ...invite, caFingerprint: digestOf(9) })],
    ['a file without a certificate', inviteText({ ...invite, caCertificate: 'none' })],
    ['a file with the name of another company', inviteText({ ...hidden, pseudonym: { ...opening, company: 'Another' } })],
    ['a file with a company of two lines', inviteText({ ...hidden, pseudonym: { ...opening, company: 'a\nb' } })],
    ['nothing', ''],
    ['a line that was cut short', line.slice(0, -20)],
    ['a line of nothing', INVITE_PREFIX],
    ['a line with characters of no invite', `${line}=`],
    ['a line over something else', lineOf('[]')],
    ['a line that inflates without end', lineOf(' '.repeat(10_000_000))],
    ['a text without end', ' '.repeat(100_000)],
  ])('is refused as %s, and says what to do', (_, text) => expect(() => parseInvite(text)).toThrow('Ask the operator to send it again'));

  it('is refused as a line with any one character changed', () => {
    for (let at = INVITE_PREFIX.length; at < line.length - 1; at++)
      expect(() => parseInvite(swapped(line, at)), `at ${at}`).toThrow('damaged');
  });

  it('comes back as it was written, in either form', () => {
    for (const each of [invite, hidden, { ...invite, coordinator: '[2001:db8::7]:7443' }, { ...invite, role: 'auditor' as const }]) {
      expect(parseInvite(inviteText(each))).toEqual(each);
      expect(parseInvite(inviteLine(each))).toEqual(each);
    }
  });

  it('as a line is one line, and may be wrapped by a mail program', () => {
    expect(line).toMatch(/^coferment-invite:[A-Za-z0-9_-]+$/);
    expect(parseInvite(`\n  ${line.replaceAll(/.{60}/g, '$&\r\n ')}\n`)).toEqual(invite);
  });
});

describe('the fingerprint of a certificate', () => {
  it('is that of the first one, and of nothing else', () => {
    expect(certificateFingerprint(`${invite.caCertificate}${invite.caCertificate.replace('MA==', 'MQ==')}`)).toBe(invite.caFingerprint);
    expect(certificateFingerprint('none')).toBeUndefined();
  });

  it('is shown in groups of four', () => expect(formatCertificateFingerprint('0123abcd4567')).toBe('0123 ABCD 4567'));
});
