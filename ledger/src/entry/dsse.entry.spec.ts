import { generateIdentity, identityFromSeed, signEnvelope } from '@coferment/crypto';
import canonicalize from 'canonicalize';
import { describe, expect, it } from 'vitest';
import { LedgerError } from '../errors/index.js';
import { entryFor, parseEntry, verifyEntry } from './index.js';

const identity = identityFromSeed(Buffer.alloc(32, 5));
const payload = Buffer.from('{"_type":"https://in-toto.io/Statement/v1"}');
const envelope = signEnvelope(payload, identity);
const entry = entryFor(envelope, identity.publicKey);
const body = () => JSON.parse(Buffer.from(entry).toString());
const bytes = (value: unknown) => Buffer.from(canonicalize(value)!);
const code = (action: () => unknown) => {
  try {
    action();
  } catch (error) {
    return error instanceof LedgerError ? error.code : error;
  }
  return 'accepted';
};

describe('an entry', () => {
  it('is the canonical body of a Rekor v2 dsse entry', () => {
    expect(Buffer.from(entry).toString()).toBe(
      '{"apiVersion":"0.0.2","kind":"dsse","spec":{"dsseV002":{"payloadHash":{"algorithm":"SHA2_256","digest":' +
        '"79Nc9bcrW57u5O4pL11rB5GRMksZ7pIxiS+zkcgsHVE="},"signatures":[{"content":"' +
        `${envelope.signatures[0].sig}","verifier":{"keyDetails":"PKIX_ED25519","publicKey":{"rawBytes":"` +
        `${Buffer.concat([Buffer.from('302a300506032b6570032100', 'hex'), identity.publicKey]).toString('base64')}"}}}]}}}`,
    );
  });

  it('reads back and verifies its payload', () => {
    const parsed = parseEntry(entry);
    expect(parsed.publicKey).toEqual(identity.publicKey);
    expect(Buffer.from(parsed.signature).toString('base64')).toBe(envelope.signatures[0].sig);
    expect(() => verifyEntry(parsed, payload)).not.toThrow();
  });

  it('is not made for an envelope that its key did not sign', () => {
    expect(() => entryFor(envelope, generateIdentity().publicKey)).toThrow();
    const changed = { ...envelope, payload: Buffer.from('{}').toString('base64') };
    expect(() => entryFor(changed, identity.publicKey)).toThrow();
  });

  it('tells a changed payload from a wrong signature', () => {
    const parsed = parseEntry(entry);
    expect(code(() => verifyEntry(parsed, Buffer.from('{}')))).toBe('payload-mismatch');
    expect(code(() => verifyEntry({ ...parsed, publicKey: generateIdentity().publicKey }, payload))).toBe('bad-signature');
  });
});

describe('malformed entries', () => {
  const edit = (change: (value: ReturnType<typeof body>) => void) => {
    const value = body();
    change(value);
    return bytes(value);
  };
  const signature = (value: ReturnType<typeof body>) => value.spec.dsseV002.signatures[0];

  it.each<[string, Uint8Array]>([
    ['nothing', new Uint8Array()],
    ['not JSON', Buffer.from('{')],
    ['not UTF-8', Uint8Array.of(0xff)],
    ['too long', new Uint8Array(5000)],
    ['a list', Buffer.from('[]')],
    ['spaces', Buffer.from(JSON.stringify(body(), null, 1))],
    ['a trailing newline', Buffer.concat([entry, Buffer.from('\n')])],
    ['a byte order mark', Buffer.concat([Buffer.from('\ufeff'), entry])],
    ['keys in another order', Buffer.from(JSON.stringify({ kind: 'dsse', ...body() }))],
    ['a doubled key', Buffer.from(Buffer.from(entry).toString().replace('{"api', '{"apiVersion":"0.0.1","api'))],
    ['another version', edit((value) => (value.apiVersion = '0.0.1'))],
    ['another kind', edit((value) => (value.kind = 'hashedrekord'))],
    ['an unknown field', edit((value) => (value.extra = 1))],
    ['another hash', edit((value) => (value.spec.dsseV002.payloadHash.algorithm = 'SHA2_512'))],
    ['a short digest', edit((value) => (value.spec.dsseV002.payloadHash.digest = 'AAAA'))],
    ['no signature', edit((value) => (value.spec.dsseV002.signatures = []))],
    ['two signatures', edit((value) => value.spec.dsseV002.signatures.push(signature(value)))],
    ['a short signature', edit((value) => (signature(value).content = 'AAAA'))],
    ['a signature in base64 for URLs', edit((value) => (signature(value).content = 'A_'.repeat(44)))],
    ['another key type', edit((value) => (signature(value).verifier.keyDetails = 'PKIX_ECDSA_P256_SHA_256'))],
    ['a key that is not base64', edit((value) => (signature(value).verifier.publicKey.rawBytes = '*'))],
  ])('refuses %s', (_, malformed) => {
    expect(code(() => parseEntry(malformed))).toBe('malformed-entry');
  });

  it('refuses a key that is not an Ed25519 SubjectPublicKeyInfo', () => {
    const raw = edit((value) => (signature(value).verifier.publicKey.rawBytes = Buffer.from(identity.publicKey).toString('base64')));
    expect(code(() => parseEntry(raw))).toBe('malformed-key');
  });
});
