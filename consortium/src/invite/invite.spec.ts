import { describe, expect, it } from 'vitest';
import { digestOf } from '../context/members.fixture.js';
import { type Invite, inviteText, parseInvite } from './invite.js';

const invite: Invite = {
  schema: 'coferment-invite/1',
  consortium: 'test',
  site: 'alpha',
  coordinator: 'coordinator.example:7443',
  serverName: 'coferment-coordinator',
  caCertificate: '-----BEGIN CERTIFICATE-----\nMA==\n-----END CERTIFICATE-----\n',
  operatorKey: digestOf(1),
  logVkey: 'ledger.example/a+00000000+AA==',
  origin: 'ledger.example/a',
  inviteId: '0123456789abcdef',
  secret: digestOf(2),
  expiresAt: '2030-01-01T00:00:00.000Z',
};

describe('an invite file', () => {
  it('comes back as it was written', () => expect(parseInvite(inviteText(invite))).toEqual(invite));
  it('may name an IPv6 address', () =>
    expect(parseInvite(inviteText({ ...invite, coordinator: '[2001:db8::7]:7443' })).coordinator).toBe('[2001:db8::7]:7443'));
  it.each([
    ['cut short', inviteText(invite).slice(0, 200)],
    ['with one character changed', inviteText(invite).replace('"alpha"', '"alphb"')],
    ['with an unknown field', inviteText(invite).replace('{', '{"extra": 1,')],
    ['with an address that has no port', inviteText({ ...invite, coordinator: 'coordinator.example' })],
    ['with an IPv6 address without brackets', inviteText({ ...invite, coordinator: '2001:db8::7:7443' })],
  ])('is refused %s, and says what to do', (_, text) => expect(() => parseInvite(text)).toThrow('Ask the operator to send it again'));
});
