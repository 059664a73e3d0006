import { createHash, createPrivateKey, createPublicKey, decapsulate, diffieHellman, randomBytes } from 'node:crypto';
import { beforeAll, describe, expect, it } from 'vitest';
import { CryptoError } from '../crypto.error.js';
import { openDealingShare, sealedDealingShare } from '../dealing/share.sealing.js';
import { hash } from '../hashing/purpose.hash.js';
import { openFrom, sealFor, SEALING_OVERHEAD_BYTES } from './hybrid.sealing.js';
import { generateSealingKey, SEALING_PUBLIC_KEY_BYTES, type SealingKey, sealingKeyFault } from './sealing.key.js';
import { loadedSodium, loadSodium } from './sodium.loader.js';
import { deriveStoreKey, openAtRest, sealAtRest } from './store.sealing.js';

const message = Buffer.from('share');
const label = ['place', 1];
let dealer: SealingKey;
let holder: SealingKey;
let other: SealingKey;

const hex = (text: string) => new Uint8Array(Buffer.from(text, 'hex'));
/** RFC 7748, 6.1, and encodings of the same points that are not reduced. */
const LOW_ORDER = [
  '00'.repeat(32),
  `01${'00'.repeat(31)}`,
  'e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800',
  '5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157',
  `ec${'ff'.repeat(30)}7f`,
  `ed${'ff'.repeat(30)}7f`,
  `ee${'ff'.repeat(30)}7f`,
].map(hex);

const joined = (x25519: Uint8Array, kem: Uint8Array) => new Uint8Array(Buffer.concat([x25519, kem]));
const curveHalf = ({ publicKey }: SealingKey) => publicKey.subarray(0, 32);
const kemHalf = ({ publicKey }: SealingKey) => publicKey.subarray(32);
/** The first coefficient becomes 4095, above q = 3329. */
const aboveModulus = (key: SealingKey) => {
  const altered = key.publicKey.slice();
  altered[32] = 0xff;
  altered[33]! |= 0x0f;
  return altered;
};
const refusedWith = (code: string) => expect.objectContaining({ code });

describe('before loading', () => {
  it('says what to call', () => {
    expect(() => loadedSodium()).toThrow('loadCrypto');
  });
});

describe('a sealing key', () => {
  it('is refused when malformed, and says why', () => {
    const { publicKey } = generateSealingKey();
    const [a, b] = [generateSealingKey(), generateSealingKey()];
    expect(sealingKeyFault(new Uint8Array())).toMatch(/has 0 bytes/);
    expect(sealingKeyFault(publicKey.subarray(1))).toMatch(`has ${SEALING_PUBLIC_KEY_BYTES - 1} bytes`);
    expect(sealingKeyFault(joined(publicKey, new Uint8Array(1)))).toMatch(/bytes/);
    expect(sealingKeyFault(publicKey.subarray(0, 32))).toMatch(/has 32 bytes/);
    for (const point of LOW_ORDER) expect(sealingKeyFault(joined(point, kemHalf(a)))).toMatch(/low order/);
    expect(sealingKeyFault(aboveModulus(a))).toMatch(/modulus check of FIPS 203/);
    // Halves in the other order: random bytes pass as an X25519 key, and fail as coefficients below q.
    expect(sealingKeyFault(joined(kemHalf(a), curveHalf(a)))).toMatch(/FIPS 203/);
    expect(sealingKeyFault('text' as never)).toBeDefined();
    expect(sealingKeyFault(publicKey)).toBeUndefined();
    expect(sealingKeyFault(joined(curveHalf(a), kemHalf(b)))).toBeUndefined();
  });
});

describe('sealing', () => {
  beforeAll(async () => {
    await loadSodium();
    [dealer, holder, other] = [generateSealingKey(), generateSealingKey(), generateSealingKey()];
  });

  it('refuses malformed keys and lengths with a code', () => {
    const sealed = sealFor(holder.publicKey, dealer, label, message);
    const cut = { ...holder, privateKey: holder.privateKey.subarray(1) };
    const attempts: (() => unknown)[] = [
      () => openFrom(dealer.publicKey, holder, label, new Uint8Array(SEALING_OVERHEAD_BYTES - 1)),
      () => openFrom(dealer.publicKey, holder, label, 'text' as never),
      () => openFrom(new Uint8Array(3), holder, label, sealed),
      () => openFrom(curveHalf(dealer), holder, label, sealed),
      () => openFrom(joined(LOW_ORDER[0]!, kemHalf(dealer)), holder, label, sealed),
      () => openFrom(aboveModulus(dealer), holder, label, sealed),
      () => openFrom(dealer.publicKey, cut, label, sealed),
      () => sealFor(new Uint8Array(3), dealer, label, message),
      () => sealFor(joined(LOW_ORDER[1]!, kemHalf(holder)), dealer, label, message),
      () => sealFor(aboveModulus(holder), dealer, label, message),
      () => sealFor(holder.publicKey, { ...dealer, privateKey: new Uint8Array() }, label, message),
    ];
    for (const attempt of attempts) expect(attempt).toThrow(refusedWith('malformed'));
  });

  it('opens for the recipient and is different every time', () => {
    const sealed = sealFor(holder.publicKey, dealer, label, message);
    expect(sealed).toHaveLength(message.length + SEALING_OVERHEAD_BYTES);
    expect(Buffer.from(openFrom(dealer.publicKey, holder, label, sealed))).toEqual(message);
    expect(sealFor(holder.publicKey, dealer, label, message)).not.toEqual(sealed);
    expect(openFrom(dealer.publicKey, holder, label, sealFor(holder.publicKey, dealer, label, new Uint8Array()))).toHaveLength(0);
  });

  it('opens for nobody else, from nobody else, at no other place, and not backwards', () => {
    const sealed = sealFor(holder.publicKey, dealer, label, message);
    const attempts: (() => unknown)[] = [
      () => openFrom(other.publicKey, holder, label, sealed),
      () => openFrom(dealer.publicKey, other, label, sealed),
      () => openFrom(dealer.publicKey, holder, ['place', 2], sealed),
      () => openFrom(dealer.publicKey, holder, [['place', 1]], sealed),
      () => openFrom(holder.publicKey, dealer, label, sealed),
      // One half of another key: both halves and both public keys count, on both sides.
      () => openFrom(joined(curveHalf(dealer), kemHalf(other)), holder, label, sealed),
      () => openFrom(joined(curveHalf(other), kemHalf(dealer)), holder, label, sealed),
      () => openFrom(dealer.publicKey, { ...holder, publicKey: joined(curveHalf(holder), kemHalf(other)) }, label, sealed),
      () =>
        openFrom(
          dealer.publicKey,
          { ...holder, privateKey: joined(holder.privateKey.subarray(0, 32), other.privateKey.subarray(32)) },
          label,
          sealed,
        ),
      () =>
        openFrom(
          dealer.publicKey,
          { ...holder, privateKey: joined(other.privateKey.subarray(0, 32), holder.privateKey.subarray(32)) },
          label,
          sealed,
        ),
    ];
    for (const attempt of attempts) expect(attempt).toThrow(refusedWith('sealed-open-failed'));
  });

  it('cannot be made without the key of the sender, by whoever knows all that is public', () => {
    const forger = { ...other, publicKey: dealer.publicKey };
    expect(() => openFrom(dealer.publicKey, holder, label, sealFor(holder.publicKey, forger, label, message))).toThrow(
      refusedWith('sealed-open-failed'),
    );
  });

  it('does not open with any one bit changed', () => {
    const sealed = sealFor(holder.publicKey, dealer, label, message);
    const bits = randomBytes(sealed.length);
    for (let at = 0; at < sealed.length; at++) {
      const altered = sealed.slice();
      altered[at]! ^= 1 << (bits[at]! & 7);
      expect(() => openFrom(dealer.publicKey, holder, label, altered), `byte ${at}`).toThrow(refusedWith('sealed-open-failed'));
    }
  });

  it('does not open cut short, drawn out or cut together from two boxes', () => {
    const [one, two] = [sealFor(holder.publicKey, dealer, label, message), sealFor(holder.publicKey, dealer, label, message)];
    for (let length = 0; length < one.length; length++) {
      const code = length < SEALING_OVERHEAD_BYTES ? 'malformed' : 'sealed-open-failed';
      expect(() => openFrom(dealer.publicKey, holder, label, one.subarray(0, length)), `${length} bytes`).toThrow(refusedWith(code));
    }
    const longer = joined(one, new Uint8Array(1));
    const mixed = joined(one.subarray(0, 1088), two.subarray(1088));
    for (const altered of [longer, mixed]) {
      expect(() => openFrom(dealer.publicKey, holder, label, altered)).toThrow(refusedWith('sealed-open-failed'));
    }
  });

  it('has a key from both secrets: knowing one of them opens nothing', () => {
    const sealed = sealFor(holder.publicKey, dealer, label, message);
    const ciphertext = sealed.subarray(0, 1088);
    const dh = diffieHellman({
      privateKey: createPrivateKey({
        key: Buffer.from(holder.privateKey.subarray(0, 32)),
        format: 'raw-private',
        asymmetricKeyType: 'x25519',
      }),
      publicKey: createPublicKey({ key: Buffer.from(curveHalf(dealer)), format: 'raw-public', asymmetricKeyType: 'x25519' }),
    });
    const seed = Buffer.from(holder.privateKey.subarray(32));
    const kemSecret = decapsulate(createPrivateKey({ key: seed, format: 'raw-seed', asymmetricKeyType: 'ml-kem-768' }), ciphertext);
    const openWith = (curve: Uint8Array, kem: Uint8Array) =>
      loadedSodium().crypto_aead_xchacha20poly1305_ietf_decrypt(
        null,
        sealed.subarray(1112),
        hash('sealing-label', label),
        sealed.subarray(1088, 1112),
        hash('sealing-hybrid', curve, kem, ciphertext, dealer.publicKey, holder.publicKey, label),
      );
    expect(Buffer.from(openWith(dh, kemSecret))).toEqual(message);
    for (const unknown of [new Uint8Array(32), new Uint8Array(randomBytes(32)), createHash('sha256').update(ciphertext).digest()]) {
      expect(() => openWith(unknown, kemSecret)).toThrow();
      expect(() => openWith(dh, unknown)).toThrow();
    }
    expect(() => openWith(kemSecret, dh)).toThrow();
  });

  it('refuses a dealing share moved to another epoch, dealer or holder, or sealed anonymously', () => {
    const place = { e0: 'e0', dealer: 'acme', holder: 'beta' };
    const sealed = sealedDealingShare(place, message, holder.publicKey, dealer);
    expect(Buffer.from(openDealingShare(place, sealed, dealer.publicKey, holder))).toEqual(message);
    for (const wrong of [
      { e0: 'e1' },
      { dealer: 'gamma' },
      { holder: 'acme' },
      { dealer: 'beta', holder: 'acme' },
      { e0: 'e0acme', dealer: '' },
    ]) {
      expect(() => openDealingShare({ ...place, ...wrong }, sealed, dealer.publicKey, holder)).toThrow(refusedWith('sealed-open-failed'));
    }
    expect(() => openDealingShare(place, sealed, other.publicKey, holder)).toThrow(/from acme for beta/);
    const bare = sealFor(holder.publicKey, dealer, [], message);
    expect(() => openDealingShare(place, bare, dealer.publicKey, holder)).toThrow(refusedWith('sealed-open-failed'));
    // libsodium's anonymous box has no sender to authenticate.
    const anonymous = loadedSodium().crypto_box_seal(new Uint8Array(2000), curveHalf(holder));
    expect(() => openDealingShare(place, anonymous, dealer.publicKey, holder)).toThrow(CryptoError);
    expect(() => openDealingShare(place, new Uint8Array(7), dealer.publicKey, holder)).toThrow(refusedWith('malformed'));
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
