import { beforeAll, describe, expect, it } from 'vitest';
import { CryptoError } from '../crypto.error.js';
import { openDealingShare, sealedDealingShare } from '../dealing/share.sealing.js';
import { generateSealingKey, isUsableSealingKey, openFrom, sealFor, type SealingKey } from './box.sealing.js';
import { loadedSodium, loadSodium } from './sodium.loader.js';
import { deriveStoreKey, openAtRest, sealAtRest } from './store.sealing.js';

const message = Buffer.from('share');
let dealer: SealingKey;
let holder: SealingKey;
let other: SealingKey;

describe('before loading', () => {
  it('says what to call', () => {
    expect(() => loadedSodium()).toThrow('loadCrypto');
  });
});

describe('sealing', () => {
  beforeAll(async () => {
    await loadSodium();
    [dealer, holder, other] = [generateSealingKey(), generateSealingKey(), generateSealingKey()];
  });

  it('refuses malformed input with a code', () => {
    const sealed = sealFor(holder.publicKey, dealer.privateKey, message);
    const altered = sealed.slice();
    altered[30]! ^= 1;
    const attempts: [() => unknown, string][] = [
      [() => openFrom(dealer.publicKey, holder.privateKey, new Uint8Array(39)), 'malformed'],
      [() => openFrom(dealer.publicKey, holder.privateKey, altered), 'sealed-open-failed'],
      [() => openFrom(other.publicKey, holder.privateKey, sealed), 'sealed-open-failed'],
      [() => openFrom(dealer.publicKey, other.privateKey, sealed), 'sealed-open-failed'],
      [() => openFrom(new Uint8Array(3), holder.privateKey, sealed), 'sealed-open-failed'],
      [() => sealFor(new Uint8Array(3), dealer.privateKey, message), 'malformed'],
    ];
    for (const [attempt, code] of attempts) expect(attempt).toThrow(expect.objectContaining({ code }));
  });

  it('knows the points of low order, with which every shared secret is zero', () => {
    expect(isUsableSealingKey(dealer.publicKey)).toBe(true);
    const hex = (text: string) => new Uint8Array(Buffer.from(text, 'hex'));
    const low = [
      '00'.repeat(32),
      `01${'00'.repeat(31)}`,
      'e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800',
      '5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157',
      `ec${'ff'.repeat(30)}7f`,
      `ed${'ff'.repeat(30)}7f`,
      `ee${'ff'.repeat(30)}7f`,
    ];
    expect(low.map((point) => isUsableSealingKey(hex(point)))).toEqual(low.map(() => false));
    expect(isUsableSealingKey(new Uint8Array(31))).toBe(false);
  });

  it('opens for the recipient and is different every time', () => {
    const sealed = sealFor(holder.publicKey, dealer.privateKey, message);
    expect(Buffer.from(openFrom(dealer.publicKey, holder.privateKey, sealed))).toEqual(message);
    expect(sealFor(holder.publicKey, dealer.privateKey, message)).not.toEqual(sealed);
  });

  it('refuses a dealing share moved to another epoch, dealer or holder', () => {
    const label = { e0: 'e0', dealer: 'acme', holder: 'beta' };
    const sealed = sealedDealingShare(label, message, holder.publicKey, dealer.privateKey);
    expect(Buffer.from(openDealingShare(label, sealed, dealer.publicKey, holder.privateKey))).toEqual(message);
    for (const wrong of [{ e0: 'e1' }, { dealer: 'gamma' }, { holder: 'acme' }]) {
      expect(() => openDealingShare({ ...label, ...wrong }, sealed, dealer.publicKey, holder.privateKey)).toThrow(
        expect.objectContaining({ code: 'dealing-refused' }),
      );
    }
    const bare = sealFor(holder.publicKey, dealer.privateKey, message);
    expect(() => openDealingShare(label, bare, dealer.publicKey, holder.privateKey)).toThrow(
      expect.objectContaining({ code: 'dealing-refused' }),
    );
    // libsodium's anonymous box has no sender to authenticate.
    const anonymous = loadedSodium().crypto_box_seal(message, holder.publicKey);
    expect(() => openDealingShare(label, anonymous, dealer.publicKey, holder.privateKey)).toThrow(CryptoError);
  });
});

describe('the sealed store', () => {
  it('opens with the passphrase and tells a wrong one', () => {
    const salt = new Uint8Array(16).fill(7);
    const key = deriveStoreKey('correct horse', salt);
    const sealed = sealAtRest(key, message);
    expect(Buffer.from(openAtRest(key, sealed))).toEqual(message);
    expect(() => openAtRest(deriveStoreKey('correct house', salt), sealed)).toThrow(expect.objectContaining({ code: 'wrong-passphrase' }));
    expect(() =>
      openAtRest(
        deriveStoreKey(
          'correct horse',
          salt.map((byte) => byte + 1),
        ),
        sealed,
      ),
    ).toThrow(expect.objectContaining({ code: 'wrong-passphrase' }));
    expect(() => openAtRest(key, sealed.subarray(0, 20))).toThrow(expect.objectContaining({ code: 'malformed' }));
    expect(() => openAtRest(key.subarray(1), sealed)).toThrow(expect.objectContaining({ code: 'malformed' }));
    expect(() => deriveStoreKey('x', new Uint8Array(8))).toThrow(expect.objectContaining({ code: 'out-of-range' }));
  });
});
