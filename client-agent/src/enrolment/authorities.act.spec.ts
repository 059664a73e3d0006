import 'reflect-metadata';
import { webcrypto } from 'node:crypto';
import { type Predicate, signStatement } from '@coferment/consortium';
import { bytesToHex, generateIdentity, type Identity, loadCrypto } from '@coferment/crypto';
import * as x509 from '@peculiar/x509';
import { beforeAll, describe, expect, it } from 'vitest';
import { toWire } from '../connection/envelope.codec.js';
import { takeInAuthorities } from './authorities.act.js';
import { isIssuedBy } from './certificate.request.js';

const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;

async function authority(name: string, ca = true): Promise<string> {
  const keys = await webcrypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify']);
  const extensions = [new x509.BasicConstraintsExtension(ca, undefined, true)];
  const made = await x509.X509CertificateGenerator.createSelfSigned({
    name: [{ CN: [name] }],
    keys,
    signingAlgorithm: ALGORITHM,
    extensions,
  });
  return `${made.toString('pem').trim()}\n`;
}

let operator: Identity;
let old: string;
let fresh: string;
let known: { consortium: string; operatorKey: string; caCertificate: string; authorities?: number };

beforeAll(async () => {
  await loadCrypto();
  operator = generateIdentity();
  [old, fresh] = [await authority('old'), await authority('new')];
  known = { consortium: 'acme', operatorKey: bytesToHex(operator.publicKey), caCertificate: old };
});

const act = (change: Partial<Predicate<'authorities'>> = {}, signer = operator) =>
  toWire(signStatement('authorities', { consortium: 'acme', sequence: 1, certificates: [fresh, old], ...change }, signer));
const refusal = (text: string | RegExp) => expect.objectContaining({ code: 'authorities-refused', message: expect.stringMatching(text) });

describe('an authorities act', () => {
  it('is believed when the operator signed it, newest first, and the same one again changes nothing', () => {
    const taken = takeInAuthorities(known, act());
    expect(taken).toEqual({ caCertificate: fresh + old, authorities: 1 });
    expect(takeInAuthorities({ ...known, ...taken }, act())).toEqual(taken);
    expect(takeInAuthorities({ ...known, ...taken }, act({ sequence: 2, certificates: [fresh] }))).toEqual({
      caCertificate: fresh,
      authorities: 2,
    });
  });

  it('is not there before the first rollover', () => {
    expect(takeInAuthorities(known, undefined)).toEqual({ caCertificate: old });
  });

  it('signed by another key is refused', () => {
    expect(() => takeInAuthorities(known, act({}, generateIdentity()))).toThrow(refusal('operator'));
  });

  it('with one byte changed is refused', () => {
    const changed = act();
    changed.payload[changed.payload.length >> 1]! ^= 1;
    expect(() => takeInAuthorities(known, changed)).toThrow(refusal('Nothing was changed'));
  });

  it('of another kind, or of another consortium, is refused', () => {
    const other = signStatement(
      'charter',
      { consortium: 'acme', ledgerReaders: 'members', siteNames: 'plain', witnessQuorum: 2, witnesses: [] },
      operator,
    );
    expect(() => takeInAuthorities(known, toWire(other))).toThrow(refusal('Expected a signed authorities'));
    expect(() => takeInAuthorities(known, act({ consortium: 'acme-2' }))).toThrow(refusal('acme-2'));
  });

  it('that is older than the one that is known is refused, also when it is left out', () => {
    const later = { ...known, caCertificate: fresh, authorities: 2 };
    expect(() => takeInAuthorities(later, act())).toThrow(refusal('an old one was sent again'));
    expect(() => takeInAuthorities(later, undefined)).toThrow(refusal('missing'));
  });

  it('that names other authorities under a number that is known is refused', () => {
    const taken = { ...known, caCertificate: fresh + old, authorities: 1 };
    expect(() => takeInAuthorities(taken, act({ certificates: [fresh] }))).toThrow(refusal('two were signed under one number'));
  });

  it.each([
    ['a certificate that is no authority', async () => [await authority('leaf', false)], 'is no authority'],
    ['two certificates in one entry', async () => [(await authority('a')) + (await authority('b'))], 'exactly one certificate'],
    ['no certificate', () => Promise.resolve(['-----BEGIN CERTIFICATE-----\nMA==\n-----END CERTIFICATE-----\n']), 'cannot be read'],
  ])('with %s is refused', async (_, certificates, reason) => {
    const wrong = await certificates();
    expect(() => takeInAuthorities(known, act({ certificates: wrong }))).toThrow(refusal(reason));
  });

  it.each([{}, { payload: new Uint8Array(), keyid: '', signature: new Uint8Array() }, null, 'act'])(
    'in the form of %j is refused',
    (malformed) => {
      expect(() => takeInAuthorities(known, malformed)).toThrow(refusal('form'));
    },
  );
});

describe('a certificate', () => {
  it('is issued by one of several authorities, or by none', () => {
    expect(isIssuedBy(old, fresh + old)).toBe(true);
    expect(isIssuedBy(old, fresh)).toBe(false);
  });
});
