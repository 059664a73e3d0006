import { describe, expect, it } from 'vitest';
import { bytesToHex, hexToBytes } from '../hashing/bytes.codec.js';
import { preAuthenticationEncoding, signEnvelope, verifyEnvelope, type DsseEnvelope } from './dsse.envelope.js';
import { generateIdentity, identityFromSeed, signBytes, signRaw, verifyBytes } from './ed25519.identity.js';

const alice = generateIdentity();
const bob = generateIdentity();
const payload = Buffer.from('{"_type":"https://in-toto.io/Statement/v1"}');
const envelope = signEnvelope(payload, alice);

describe('malformed envelopes', () => {
  const [signature] = envelope.signatures;
  it.each<[string, unknown, string]>([
    ['null', null, 'malformed'],
    ['a string', 'x', 'malformed'],
    ['no signatures', { ...envelope, signatures: [] }, 'malformed'],
    ['two signatures', { ...envelope, signatures: [signature, signature] }, 'malformed'],
    ['signatures that are no list', { ...envelope, signatures: signature }, 'malformed'],
    ['a null signature', { ...envelope, signatures: [null] }, 'malformed'],
    ['another payload type', { ...envelope, payloadType: 'text/plain' }, 'malformed'],
    ['a payload that is no string', { ...envelope, payload: 7 }, 'malformed'],
    ['base64 with a line break', { ...envelope, payload: `${envelope.payload}\n` }, 'malformed'],
    ['base64url', { ...envelope, payload: '_-8=' }, 'malformed'],
    ['unpadded base64', { ...envelope, payload: 'QQ' }, 'malformed'],
    ['stray base64 bits', { ...envelope, payload: 'QR==' }, 'malformed'],
    ['a key id of another key', { ...envelope, signatures: [{ ...signature, keyid: '00' }] }, 'wrong-key'],
    ['a short signature', { ...envelope, signatures: [{ ...signature, sig: 'AAAA' }] }, 'bad-signature'],
    ['another payload', { ...envelope, payload: Buffer.from('other').toString('base64') }, 'bad-signature'],
  ])('%s', (_, broken, code) => {
    expect(() => verifyEnvelope(broken as DsseEnvelope, alice.publicKey)).toThrow(expect.objectContaining({ code }));
  });

  it('refuses keys of a wrong length', () => {
    expect(() => identityFromSeed(new Uint8Array(31))).toThrow(expect.objectContaining({ code: 'malformed' }));
    expect(verifyBytes('p', payload, new Uint8Array(64), new Uint8Array(5))).toBe(false);
  });
});

describe('DSSE', () => {
  it('encodes as the DSSE v1 example does', () => {
    const encoded = preAuthenticationEncoding('http://example.com/HelloWorld', Buffer.from('hello world'));
    expect(Buffer.from(encoded).toString()).toBe('DSSEv1 29 http://example.com/HelloWorld 11 hello world');
  });

  it('counts bytes, not characters', () => {
    expect(Buffer.from(preAuthenticationEncoding('é', Buffer.from('ü'))).toString()).toBe('DSSEv1 2 é 2 ü');
  });

  it('returns the payload to the right key only', () => {
    expect(Buffer.from(verifyEnvelope(envelope, alice.publicKey))).toEqual(payload);
    expect(() => verifyEnvelope(envelope, bob.publicKey)).toThrow(expect.objectContaining({ code: 'wrong-key' }));
  });
});

describe('Ed25519', () => {
  it('gives the first test vector of RFC 8032', () => {
    const identity = identityFromSeed(hexToBytes('9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60'));
    expect(bytesToHex(identity.publicKey)).toBe('d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a');
    expect(bytesToHex(signRaw(new Uint8Array(), identity.privateKey))).toBe(
      'e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b',
    );
  });

  it('refuses public keys of small order, under which one signature would fit every message', () => {
    // R = s·B and S = s satisfy the equation for any message under the neutral point. OpenSSL 3.5 refuses the key; this notices if it stops.
    const forged = hexToBytes(
      'fd1724385aa0c75b64fb78cd602fa1d991fdebf76b13c58ed702eac835e9f618843f0c38c733615ffb38f4ea78f13f692b7ca4a9495d204f255bacf578c74c06',
    );
    const unsigned = [
      '00'.repeat(32),
      `01${'00'.repeat(31)}`,
      '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05',
      'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a',
      `ec${'ff'.repeat(30)}7f`,
      `ed${'ff'.repeat(30)}7f`,
      `ee${'ff'.repeat(30)}7f`,
    ];
    for (const key of unsigned.map(hexToBytes)) {
      for (const sign of [0, 0x80]) {
        key[31]! |= sign;
        for (let message = 0; message < 50; message++) expect(verifyBytes('renew', Uint8Array.of(message), forged, key)).toBe(false);
      }
    }
  });

  it('separates purposes, messages and keys', () => {
    const signature = signBytes('renew', payload, alice.privateKey);
    expect(verifyBytes('renew', payload, signature, alice.publicKey)).toBe(true);
    expect(verifyBytes('invite', payload, signature, alice.publicKey)).toBe(false);
    expect(verifyBytes('renew', Buffer.from('x'), signature, alice.publicKey)).toBe(false);
    expect(verifyBytes('renew', payload, signature, bob.publicKey)).toBe(false);
    expect(verifyBytes('renew', payload, signature.subarray(1), alice.publicKey)).toBe(false);
  });
});
