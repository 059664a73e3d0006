import { beforeAll, describe, expect, it } from 'vitest';
import { committeeConstants } from '../committee/committee.constants.js';
import { subsetsOf } from '../committee/lagrange.rational.js';
import { ciphertextBlockBytes, ciphertextBlockDigests, encryptVector } from '../encryption/vector.encryption.js';
import { parameterSet } from '../ring/parameter.set.js';
import { loadSeal } from '../ring/seal.module.js';
import { decryptionShare, shareBlockBytes, shareBlockDigests, sumKeyShares } from '../shares/decryption.share.js';
import { sumCiphertexts } from './ciphertext.sum.js';
import { K, pick, plannedFor, scriptedCommittee, shareInput, type ScriptedCommittee } from './scripted.committee.fixture.js';
import { combine } from './share.combination.js';

const coded = (code: string): Error => expect.objectContaining({ code }) as Error;
let five: ScriptedCommittee;

beforeAll(async () => {
  await loadSeal();
  five = scriptedCommittee(plannedFor(5, 4));
});

describe('malformed uploads and shares', () => {
  it('are refused when summing', () => {
    const { uploads, parameters } = five;
    const size = ciphertextBlockBytes(parameters);
    const beyond = uploads[1]!.slice();
    // q is so close to 2^180 that a truncated coefficient of all ones is possible; with nothing dropped it is not.
    const nothingDropped = { ...parameters, droppedBits: 0, keptBits: 180 };
    const all = new Uint8Array(ciphertextBlockBytes(nothingDropped)).fill(0xff);
    const attempts: [() => unknown, string][] = [
      [() => sumCiphertexts([], parameters), 'out-of-range'],
      [() => sumCiphertexts([new Uint8Array()], parameters), 'malformed'],
      [() => sumCiphertexts([beyond.subarray(1)], parameters), 'malformed'],
      [() => sumCiphertexts([undefined as unknown as Uint8Array], parameters), 'malformed'],
      [() => sumCiphertexts([uploads[0]!, uploads[1]!.subarray(size)], parameters), 'malformed'],
      [() => sumCiphertexts([...uploads, uploads[0]!], parameters), 'out-of-range'],
      [() => sumCiphertexts([all], nothingDropped), 'malformed'],
      [() => ciphertextBlockDigests(new Uint8Array(7), parameters), 'malformed'],
    ];
    for (const [attempt, code] of attempts) expect(attempt).toThrow(coded(code));
  });

  it('are refused when combining', () => {
    const { uploads, parameters, shares } = five;
    const sum = sumCiphertexts(uploads, parameters);
    const beyond = shares.get(0)!.slice().fill(0xff, 0, 8);
    const attempt =
      (change: Map<number, Uint8Array>, addends = 5) =>
      () =>
        combine({ parameters, sum, addends, shares: change });
    expect(attempt(new Map([...shares, [0, beyond]]))).toThrow(coded('malformed'));
    expect(attempt(new Map([...shares, [0, beyond]]))).toThrow('position 0');
    expect(attempt(new Map([...shares, [0, beyond.subarray(8)]]))).toThrow(coded('malformed'));
    expect(attempt(new Map([...shares, [5, shares.get(0)!]]))).toThrow(coded('bad-committee'));
    expect(attempt(pick(shares, [0, 1, 2]))).toThrow('3 shares cannot open a sum: 4 are needed');
    expect(attempt(shares, 4)).toThrow(coded('out-of-range'));
    expect(() => shareBlockDigests(beyond.subarray(1), parameters)).toThrow(coded('malformed'));
  });

  it('are refused when encrypting and releasing', () => {
    const { parameters, secretKeys, vectors } = five;
    const encryption = { parameters, k: K, secretKey: secretKeys[0]!, coefficients: vectors[0]! };
    const beyondPlain = vectors[0]!.slice();
    beyondPlain[3] = parameterSet(parameters.set).plainModulus;
    const release = shareInput(five, 0);
    const attempts: [() => unknown, string][] = [
      [() => encryptVector({ ...encryption, k: 'K' }), 'malformed'],
      [() => encryptVector({ ...encryption, secretKey: new Uint8Array(8) }), 'malformed'],
      [() => encryptVector({ ...encryption, coefficients: vectors[0]!.subarray(1) }), 'out-of-range'],
      [() => encryptVector({ ...encryption, coefficients: new BigUint64Array() }), 'out-of-range'],
      [() => encryptVector({ ...encryption, coefficients: beyondPlain }), 'out-of-range'],
      [() => decryptionShare({ ...release, k: K.toUpperCase() }), 'malformed'],
      [() => decryptionShare({ ...release, setDigest: '' }), 'malformed'],
      [() => decryptionShare({ ...release, holderIndex: 5 }), 'bad-committee'],
      [() => decryptionShare({ ...release, noiseKey: new Uint8Array(31) }), 'malformed'],
      [() => decryptionShare({ ...release, keyShareSum: new Uint8Array(31) }), 'malformed'],
      [() => encryptVector({ ...encryption, secretKey: new Uint8Array(secretKeys[0]!.length) }), 'out-of-range'],
      [() => decryptionShare({ ...release, keyShareSum: new Uint8Array(release.keyShareSum.length) }), 'out-of-range'],
      [() => decryptionShare({ ...release, blocks: 0 }), 'out-of-range'],
      [() => sumKeyShares([]), 'out-of-range'],
      [() => sumKeyShares([new Uint8Array(5)]), 'malformed'],
    ];
    for (const [attempt, code] of attempts) expect(attempt).toThrow(coded(code));
  });
});

describe.each([
  [3, 3],
  [4, 3],
  [5, 4],
  [7, 5],
  [12, 9],
])('a sum under (%i, %i)', (m, threshold) => {
  let committee: ScriptedCommittee;
  beforeAll(() => {
    committee = scriptedCommittee(plannedFor(m, threshold), 1);
  });

  it('opens exactly for every τ-subset', () => {
    const { parameters, uploads, shares, expected } = committee;
    const sum = sumCiphertexts(uploads, parameters);
    for (const { holders } of committeeConstants(m, threshold).decodingSets) {
      expect(combine({ parameters, sum, addends: m, shares: pick(shares, holders) })).toEqual({ ok: true, coefficients: expected });
    }
  });

  it('does not open for τ−1 holders and a guessed share', () => {
    const { parameters, uploads, shares } = committee;
    const guessed = new Map([
      ...pick(
        shares,
        Array.from({ length: threshold - 1 }, (_, i) => i),
      ),
      [threshold - 1, new Uint8Array(shareBlockBytes(parameters))],
    ]);
    expect(combine({ parameters, sum: uploads, addends: m, shares: guessed })).toEqual({ ok: false, reason: 'residual' });
  });
});

describe('a sum', () => {
  it('opens with all shares and from uploads in any order', () => {
    const { parameters, uploads, shares, expected } = five;
    expect(combine({ parameters, sum: uploads.toReversed(), addends: 5, shares })).toEqual({ ok: true, coefficients: expected });
  });

  it('over other sites than the shares are for does not open', () => {
    const { parameters, uploads, shares } = five;
    expect(combine({ parameters, sum: uploads.slice(1), addends: 4, shares })).toEqual({ ok: false, reason: 'residual' });
  });

  it('opens on the standard parameters', () => {
    const committee = scriptedCommittee(plannedFor(5, 4, 'STANDARD'), 1);
    const { parameters, uploads, shares, expected } = committee;
    const sum = sumCiphertexts(uploads, parameters);
    for (const holders of subsetsOf(5, 4)) {
      expect(combine({ parameters, sum, addends: 5, shares: pick(shares, holders) })).toEqual({ ok: true, coefficients: expected });
    }
    expect(combine({ parameters, sum, addends: 5, shares }).ok).toBe(true);
  });
});

describe('uploads and shares', () => {
  it('have the stated sizes', () => {
    const { parameters, uploads, shares, blocks } = five;
    expect(uploads[0]!.length).toBe(blocks * ciphertextBlockBytes(parameters));
    expect(ciphertextBlockBytes(parameters)).toBe((1024 * 68) / 8);
    expect(shares.get(0)!.length).toBe(blocks * shareBlockBytes(parameters));
    expect(ciphertextBlockDigests(uploads[0]!, parameters).length).toBe(blocks);
    expect(shareBlockDigests(shares.get(0)!, parameters).length).toBe(blocks);
  });

  it('take fresh errors at every encryption, and are the same bytes at every release', () => {
    const { secretKeys, vectors, shares } = five;
    // With the usual 112 bits dropped the errors of at most 21 hardly ever reach the bytes.
    const parameters = { ...five.parameters, droppedBits: 0, keptBits: 180 };
    const encrypt = (): Uint8Array => encryptVector({ parameters, k: K, secretKey: secretKeys[0]!, coefficients: vectors[0]! });
    const [first, second] = [encrypt(), encrypt()];
    const different = first.filter((byte, index) => byte !== second[index]).length;
    expect(different).toBeGreaterThan(five.blocks * 1024 * 0.8);
    expect(decryptionShare(shareInput(five, 2))).toEqual(shares.get(2));
  });

  it('change their noise with everything that determines the value', () => {
    const base = { ...shareInput(five, 1), blocks: 1 };
    const { parameters } = base;
    const variants = [
      base,
      { ...base, kind: 'evaluate' },
      { ...base, setDigest: K },
      { ...base, k: base.setDigest },
      { ...base, holder: 'holder-9' },
      { ...base, holderIndex: 2 },
      { ...base, noiseKey: new Uint8Array(32) },
      { ...base, parameters: { ...parameters, valueBits: 15 } },
    ];
    const shares = variants.map(decryptionShare);
    for (const [index, share] of shares.entries()) {
      for (const other of shares.slice(0, index)) {
        const equal = share.reduce((count, byte, at) => count + (byte === other[at] ? 1 : 0), 0);
        // Random residues agree in 1 of 256 low bytes; the upper half byte of each word is always zero.
        expect(equal).toBeLessThan(share.length / 3);
      }
    }
  });
});
