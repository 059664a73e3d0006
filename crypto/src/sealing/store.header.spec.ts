import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { CryptoError } from '../crypto.error.js';
import { bytesToHex } from '../hashing/bytes.codec.js';
import { hash } from '../hashing/purpose.hash.js';
import { loadSodium } from './sodium.loader.js';
import { drawStoreKey, unwrapStoreKey, wrapStoreKey } from './store.header.js';
import { deriveStoreKey, sealAtRest } from './store.sealing.js';

beforeAll(loadSodium);

const codeOf = (work: () => unknown): string => {
  try {
    work();
    return 'no error';
  } catch (error) {
    return error instanceof CryptoError ? error.code : String(error);
  }
};

describe('the header of a store', () => {
  it('gives its key to the secret that sealed it, a passphrase or bytes, and to no other', () => {
    const key = drawStoreKey();
    for (const secret of ['a passphrase', new Uint8Array(40).fill(9)]) {
      const header = wrapStoreKey(key, secret);
      expect(unwrapStoreKey(header, secret)).toEqual(key);
      expect(codeOf(() => unwrapStoreKey(header, 'another'))).toBe('wrong-passphrase');
      expect(header).not.toContain(bytesToHex(key));
    }
    expect(wrapStoreKey(key, 'a passphrase')).not.toBe(wrapStoreKey(key, 'a passphrase'));
  });

  it('tells every cut and every changed byte from a wrong passphrase', () => {
    const header = wrapStoreKey(drawStoreKey(), 'a passphrase');
    // Nothing is derived for a header that is not whole, so all of them are tried.
    for (let length = 0; length < header.length; length++)
      expect(codeOf(() => unwrapStoreKey(header.slice(0, length), 'a passphrase'))).toBe('malformed');
    const bytes = Buffer.from(header);
    for (let at = 0; at < bytes.length; at++) {
      for (const mask of [1, 0x20, 0xff]) {
        const altered = Buffer.from(bytes);
        altered[at]! ^= mask;
        expect(codeOf(() => unwrapStoreKey(altered.toString('latin1'), 'a passphrase'))).toBe('malformed');
      }
    }
    fc.assert(fc.property(fc.string(), (text) => codeOf(() => unwrapStoreKey(text, 'a passphrase')) === 'malformed'));
  });

  it('does not take another box under the same passphrase for a key', () => {
    const header = wrapStoreKey(drawStoreKey(), 'a passphrase');
    const salt = Buffer.from(/"salt":"(\w+)"/.exec(header)![1]!, 'hex');
    const other = sealAtRest(deriveStoreKey('a passphrase', salt), new Uint8Array(64));
    const stated = Buffer.from(hash('store-header', new Uint8Array(salt), other)).toString('hex');
    const forged = `{"schema":2,"salt":"${salt.toString('hex')}","wrapped":"${bytesToHex(other)}","digest":"${stated}"}\n`;
    expect(codeOf(() => unwrapStoreKey(forged, 'a passphrase'))).toBe('malformed');
  });
});
