import { beforeAll, describe, expect, it } from 'vitest';
import { committeeConstants } from '../committee/committee.constants.js';
import { subsetsOf } from '../committee/lagrange.rational.js';
import { ciphertextBlockDigests, ciphertextBytes, encryptVector } from '../encryption/vector.encryption.js';
import { parameterSet } from '../ring/parameter.set.js';
import { loadSeal } from '../ring/seal.module.js';
import { decryptionShare, shareBlockDigests, shareBlockSpan, shareBytes, sumKeyShares } from '../shares/decryption.share.js';
import { blockOf, valuesOf } from './block.integers.fixture.js';
import { sumCiphertexts } from './ciphertext.sum.js';
import { K, pick, plannedFor, scriptedCommittee, shareInput, type ScriptedCommittee } from './scripted.committee.fixture.js';
import { combine } from './share.combination.js';

const coded = (code: string): Error => expect.objectContaining({ code }) as Error;
/** A whole block and one cut after 301 coefficients: at 68 bits each its last byte has four bits to spare. */
const CUT = 1024 + 301;
let five: ScriptedCommittee;

beforeAll(async () => {
  await loadSeal();
  five = scriptedCommittee(plannedFor(5, 4), CUT);
});

describe('malformed uploads and shares', () => {
  it('are refused when summing', () => {
    const { uploads, parameters } = five;
    const first = uploads[0]!;
    // A cut block filled up to a whole one, as whole blocks once travelled.
    const filled = new Uint8Array(ciphertextBytes(2048, parameters));
    filled.set(first);
    const tooLong = new Uint8Array(first.length + 1);
    tooLong.set(first);
    const nothingDropped = { ...parameters, droppedBits: 0, keptBits: 180 };
    const beyond = new Uint8Array(ciphertextBytes(CUT, nothingDropped));
    beyond.set(blockOf([...Array.from({ length: 300 }, () => 0n), (1n << 180n) - 1n], 180), (1024 * 180) / 8);
    const attempts: [() => unknown, string][] = [
      [() => sumCiphertexts([], CUT, parameters), 'out-of-range'],
      [() => sumCiphertexts([new Uint8Array()], CUT, parameters), 'malformed'],
      [() => sumCiphertexts([first.subarray(1)], CUT, parameters), 'malformed'],
      [() => sumCiphertexts([first, first.subarray(0, first.length - 1)], CUT, parameters), 'malformed'],
      [() => sumCiphertexts([tooLong], CUT, parameters), 'malformed'],
      [() => sumCiphertexts([filled], CUT, parameters), 'malformed'],
      [() => sumCiphertexts([undefined as unknown as Uint8Array], CUT, parameters), 'malformed'],
      [() => sumCiphertexts([first, first.subarray(0, ciphertextBytes(1024, parameters))], CUT, parameters), 'malformed'],
      [() => sumCiphertexts([...uploads, first], CUT, parameters), 'out-of-range'],
      [() => sumCiphertexts([beyond], CUT, nothingDropped), 'malformed'],
      [() => ciphertextBlockDigests(new Uint8Array(7), CUT, parameters), 'malformed'],
    ];
    for (const [attempt, code] of attempts) expect(attempt).toThrow(coded(code));
  });

  it('are refused when combining', () => {
    const { uploads, parameters, shares } = five;
    const sum = sumCiphertexts(uploads, CUT, parameters);
    const share = shares.get(0)!;
    // 95 bits a coefficient: all ones in all planes of the last one of the whole block, and of the first of the cut one.
    const { shareDroppedBits } = parameters;
    const beyond = share.slice();
    const beyondCut = share.slice();
    const ones = (1n << BigInt(180 - shareDroppedBits)) - 1n;
    const whole = shareBlockSpan(0, CUT, parameters);
    const cut = shareBlockSpan(1, CUT, parameters);
    beyond.set(
      blockOf([...valuesOf(share.subarray(0, whole.length), 1024, 180 - shareDroppedBits).slice(1), ones], 180 - shareDroppedBits),
    );
    beyondCut.set(
      blockOf([ones, ...valuesOf(share.subarray(cut.offset), 301, 180 - shareDroppedBits).slice(1)], 180 - shareDroppedBits),
      cut.offset,
    );
    const attempt =
      (change: Map<number, Uint8Array>, addends = 5) =>
      () =>
        combine({ parameters, sum, coefficients: CUT, addends, shares: change });
    expect(attempt(new Map([...shares, [0, beyond]]))).toThrow(coded('malformed'));
    expect(attempt(new Map([...shares, [0, beyond]]))).toThrow('position 0');
    expect(attempt(new Map([...shares, [0, beyondCut]]))).toThrow(coded('malformed'));
    expect(attempt(new Map([...shares, [0, share.subarray(8)]]))).toThrow(coded('malformed'));
    expect(attempt(new Map([...shares, [0, new Uint8Array(shareBytes(2048, parameters))]]))).toThrow(coded('malformed'));
    expect(attempt(new Map([...shares, [5, share]]))).toThrow(coded('bad-committee'));
    expect(attempt(pick(shares, [0, 1, 2]))).toThrow('3 shares cannot open a sum: 4 are needed');
    expect(attempt(shares, 4)).toThrow(coded('out-of-range'));
    expect(() => shareBlockDigests(beyond.subarray(1), CUT, parameters)).toThrow(coded('malformed'));
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
      [() => encryptVector({ ...encryption, coefficients: new BigUint64Array() }), 'out-of-range'],
      [() => encryptVector({ ...encryption, coefficients: beyondPlain }), 'out-of-range'],
      [() => decryptionShare({ ...release, k: K.toUpperCase() }), 'malformed'],
      [() => decryptionShare({ ...release, setDigest: '' }), 'malformed'],
      [() => decryptionShare({ ...release, holderIndex: 5 }), 'bad-committee'],
      [() => decryptionShare({ ...release, noiseKey: new Uint8Array(31) }), 'malformed'],
      [() => decryptionShare({ ...release, keyShareSum: new Uint8Array(31) }), 'malformed'],
      [() => encryptVector({ ...encryption, secretKey: new Uint8Array(secretKeys[0]!.length) }), 'out-of-range'],
      [() => decryptionShare({ ...release, keyShareSum: new Uint8Array(release.keyShareSum.length) }), 'out-of-range'],
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
    committee = scriptedCommittee(plannedFor(m, threshold), 325);
  });

  it('opens exactly for every τ-subset', () => {
    const { parameters, uploads, shares, expected, coefficients } = committee;
    const sum = sumCiphertexts(uploads, coefficients, parameters);
    for (const { holders } of committeeConstants(m, threshold).decodingSets) {
      expect(combine({ parameters, sum, coefficients, addends: m, shares: pick(shares, holders) })).toEqual({
        ok: true,
        coefficients: expected,
      });
    }
  });

  it('does not open for τ−1 holders and a guessed share', () => {
    const { parameters, uploads, shares, coefficients } = committee;
    const guessed = new Map([
      ...pick(
        shares,
        Array.from({ length: threshold - 1 }, (_, i) => i),
      ),
      [threshold - 1, new Uint8Array(shareBytes(coefficients, parameters))],
    ]);
    expect(combine({ parameters, sum: uploads, coefficients, addends: m, shares: guessed })).toEqual({ ok: false, reason: 'residual' });
  });
});

describe('a sum', () => {
  it('opens with all shares and from uploads in any order', () => {
    const { parameters, uploads, shares, expected } = five;
    expect(combine({ parameters, sum: uploads.toReversed(), coefficients: CUT, addends: 5, shares })).toEqual({
      ok: true,
      coefficients: expected,
    });
  });

  it('over other sites than the shares are for does not open', () => {
    const { parameters, uploads, shares } = five;
    expect(combine({ parameters, sum: uploads.slice(1), coefficients: CUT, addends: 4, shares })).toEqual({
      ok: false,
      reason: 'residual',
    });
  });

  it('opens on the standard parameters', () => {
    const coefficients = 8192 + 325;
    const { parameters, uploads, shares, expected } = scriptedCommittee(plannedFor(5, 4, 'STANDARD'), coefficients);
    const sum = sumCiphertexts(uploads, coefficients, parameters);
    for (const holders of subsetsOf(5, 4)) {
      expect(combine({ parameters, sum, coefficients, addends: 5, shares: pick(shares, holders) })).toEqual({
        ok: true,
        coefficients: expected,
      });
    }
    expect(combine({ parameters, sum, coefficients, addends: 5, shares }).ok).toBe(true);
  });
});

describe('uploads and shares', () => {
  it('have the stated sizes', () => {
    const { parameters, uploads, shares } = five;
    // 68 bits are planes of 32, 32 and 4; a share keeps 95: 32, 32, 16, 8, 4, 2 and 1.
    expect(uploads[0]!.length).toBe((1024 * 68) / 8 + 301 * 8 + Math.ceil(301 / 2));
    const narrow = Math.ceil((301 * 4) / 8) + Math.ceil((301 * 2) / 8) + Math.ceil(301 / 8);
    expect(shares.get(0)!.length).toBe((1024 * 95) / 8 + 301 * 11 + narrow);
    expect(ciphertextBlockDigests(uploads[0]!, CUT, parameters).length).toBe(2);
    expect(shareBlockDigests(shares.get(0)!, CUT, parameters).length).toBe(2);
    for (const coefficients of [1, 2, 1023, 1024, 1025, 2048, CUT]) {
      const one = { ...five, coefficients };
      const upload = encryptVector({ parameters, k: K, secretKey: five.secretKeys[0]!, coefficients: new BigUint64Array(coefficients) });
      expect(upload.length).toBe(ciphertextBytes(coefficients, parameters));
      expect(decryptionShare(shareInput(one, 0)).length).toBe(shareBytes(coefficients, parameters));
    }
  });

  it('take fresh errors at every encryption, and are the same bytes at every release', () => {
    const { secretKeys, vectors, shares } = five;
    // With the usual 112 bits dropped the errors of at most 21 hardly ever reach the bytes.
    const parameters = { ...five.parameters, droppedBits: 0, keptBits: 180 };
    const encrypt = (): Uint8Array => encryptVector({ parameters, k: K, secretKey: secretKeys[0]!, coefficients: vectors[0]! });
    const [first, second] = [encrypt(), encrypt()];
    const different = first.filter((byte, index) => byte !== second[index]).length;
    expect(different).toBeGreaterThan(CUT * 0.8);
    expect(decryptionShare(shareInput(five, 2))).toEqual(shares.get(2));
  });

  it('change their noise with everything that determines the value', () => {
    const base = { ...shareInput(five, 1), coefficients: 1024 };
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
    const kept = 180 - parameters.shareDroppedBits;
    const shares = variants.map((variant) => valuesOf(decryptionShare(variant), 1024, kept));
    for (const [index, share] of shares.entries()) {
      for (const other of shares.slice(0, index)) {
        const equal = share.filter((value, at) => value === other[at]).length;
        // The noise reaches seven bits into what travels; one value under two noises is the same about one time in a hundred.
        expect(equal).toBeLessThan(40);
      }
    }
  });
});
