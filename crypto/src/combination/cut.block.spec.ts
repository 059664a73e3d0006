import { randomBytes } from 'node:crypto';
import { beforeAll, describe, expect, it } from 'vitest';
import { coefficientCount, unpackSum } from '../packing/vector.packing.js';
import { ciphertextBlockDigests, ciphertextBytes, encryptVector } from '../encryption/vector.encryption.js';
import { parameterSet } from '../ring/parameter.set.js';
import { loadSeal } from '../ring/seal.module.js';
import { decryptionShare, shareBlockDigests, shareBlockSpan, shareBytes, shareKeptBits } from '../shares/decryption.share.js';
import { changedShare, valuesOf } from './block.integers.fixture.js';
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

describe('malformed numbers of coefficients', () => {
  it.each([0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 30 + 1, '5' as unknown as number])(
    '%j is refused everywhere',
    (count) => {
      const { parameters, uploads, shares } = five;
      const attempts: (() => unknown)[] = [
        () => ciphertextBytes(count, parameters),
        () => shareBytes(count, parameters),
        () => ciphertextBlockDigests(uploads[0]!, count, parameters),
        () => shareBlockDigests(shares.get(0)!, count, parameters),
        () => sumCiphertexts(uploads, count, parameters),
        () => combine({ parameters, sum: uploads, coefficients: count, addends: 5, shares }),
        () => combine({ parameters, sum: sumCiphertexts(uploads, CUT, parameters), coefficients: count, addends: 5, shares }),
        () => decryptionShare({ ...shareInput(five, 0), coefficients: count }),
      ];
      for (const attempt of attempts) expect(attempt).toThrow(coded('out-of-range'));
    },
  );

  it('another number than the bytes were made with is refused', () => {
    const { parameters, uploads, shares } = five;
    const sum = sumCiphertexts(uploads, CUT, parameters);
    for (const count of [1, 1024, CUT - 1, CUT + 1, 2048, 2049]) {
      expect(() => ciphertextBlockDigests(uploads[0]!, count, parameters)).toThrow(coded('malformed'));
      expect(() => shareBlockDigests(shares.get(0)!, count, parameters)).toThrow(coded('malformed'));
      expect(() => sumCiphertexts(uploads, count, parameters)).toThrow(coded('malformed'));
      expect(() => combine({ parameters, sum, coefficients: count, addends: 5, shares })).toThrow(coded('out-of-range'));
      const other = { ...sum, coefficients: count };
      expect(() => combine({ parameters, sum: other, coefficients: count, addends: 5, shares })).toThrow(coded('malformed'));
    }
  });
});

describe('a malformed end of a plane', () => {
  it('is any bit behind the last coefficient of an upload', () => {
    const { uploads, parameters } = five;
    // The plane of 4 bits ends with a half byte.
    for (const bit of [4, 5, 6, 7]) {
      const padded = uploads[0]!.slice();
      padded[padded.length - 1]! |= 1 << bit;
      expect(() => sumCiphertexts([padded], CUT, parameters)).toThrow('zero bits');
      expect(() => ciphertextBlockDigests(padded, CUT, parameters)).toThrow(coded('malformed'));
    }
  });

  it('is any bit behind the last coefficient of a share, in each of its narrow planes', () => {
    const { shares, parameters, uploads } = five;
    const { offset } = shareBlockSpan(1, CUT, parameters);
    let at = offset + 301 * 11;
    for (const width of [4, 2, 1]) {
      at += Math.ceil((301 * width) / 8);
      const padded = shares.get(0)!.slice();
      padded[at - 1]! |= 0x80;
      const received = new Map([...shares, [0, padded]]);
      expect(() => combine({ parameters, sum: uploads, coefficients: CUT, addends: 5, shares: received })).toThrow('zero bits');
    }
  });
});

describe('uploads', () => {
  it.each([62, 65, 68, 75, 93])('end each plane with zero bits at %i bits a coefficient', (keptBits) => {
    const parameters = { ...five.parameters, keptBits, droppedBits: 180 - keptBits };
    for (const coefficients of [1, 2, 3, 5, 7, 8, 1025, 1031]) {
      const upload = encryptVector({ parameters, k: K, secretKey: five.secretKeys[0]!, coefficients: new BigUint64Array(coefficients) });
      const cut = coefficients % 1024;
      let at = Math.floor(coefficients / 1024) * 128 * keptBits;
      for (const width of [32, 32, 16, 8, 4, 2, 1].filter((plane, i) =>
        i < 2 ? keptBits >= 32 * (i + 1) : ((keptBits % 32) & plane) !== 0,
      )) {
        at += Math.ceil((cut * width) / 8);
        const spare = (cut * width) % 8;
        expect(spare === 0 || upload[at - 1]! >> spare === 0).toBe(true);
      }
      expect(upload.length).toBe(at);
      expect(sumCiphertexts([upload], coefficients, parameters).coefficients).toBe(coefficients);
    }
  });
});

describe('the noise of a share', () => {
  it('is the same where two releases of different length overlap', () => {
    const { parameters } = five;
    const values = (coefficients: number): bigint[] => {
      const share = decryptionShare({ ...shareInput(five, 1), coefficients });
      return [0, 1]
        .filter((block) => block * 1024 < coefficients)
        .flatMap((block) => {
          const span = shareBlockSpan(block, coefficients, parameters);
          return valuesOf(share.subarray(span.offset, span.offset + span.length), span.coefficients, shareKeptBits(parameters));
        });
    };
    const longest = values(2048);
    for (const coefficients of [1, 2, 7, 301, 1023, 1024, 1025, CUT, 2047]) {
      expect(values(coefficients)).toEqual(longest.slice(0, coefficients));
    }
  });

  it('is the same whatever is dropped of it', () => {
    const exact = { ...five.parameters, shareDroppedBits: 0 };
    const whole = decryptionShare({ ...shareInput(five, 1), parameters: exact, coefficients: 301 });
    const cut = decryptionShare({ ...shareInput(five, 1), coefficients: 301 });
    const dropped = BigInt(five.parameters.shareDroppedBits);
    expect(valuesOf(cut, 301, shareKeptBits(five.parameters))).toEqual(valuesOf(whole, 301, 180).map((value) => value >> dropped));
  });
});

describe('a cut block', () => {
  it.each([1, 2, 31, 33, 1023, 1025])('opens %i coefficients exactly', (coefficients) => {
    const { parameters, uploads, shares, expected } = scriptedCommittee(plannedFor(3, 3), coefficients);
    expect(expected.length).toBe(coefficients);
    expect(combine({ parameters, sum: uploads, coefficients, addends: 3, shares })).toEqual({ ok: true, coefficients: expected });
  });

  it('is checked to its last coefficient, by parity and by the residual', () => {
    const { parameters, uploads, shares } = five;
    const { modulus } = parameterSet(parameters.set);
    const wrong = shares.get(2)!.slice();
    const { offset } = shareBlockSpan(1, CUT, parameters);
    // The last coefficient in use, off by no simple fraction of q.
    const change = (h: bigint, index: number): bigint => (index === 300 ? h + (modulus * 271828n) / 314159n : h);
    wrong.set(changedShare(wrong.subarray(offset), 301, parameters, modulus, change), offset);
    const changed = new Map([...shares, [2, wrong]]);
    const all = { parameters, sum: uploads, coefficients: CUT, addends: 5 };
    expect(combine({ ...all, shares: changed })).toEqual({ ok: false, reason: 'parity' });
    expect(combine({ ...all, shares: pick(changed, [0, 1, 2, 3]) })).toEqual({ ok: false, reason: 'residual' });
    expect(combine({ ...all, shares: pick(changed, [0, 1, 3, 4]) }).ok).toBe(true);
  });

  it('of few coefficients may be garbage within the noise bound; the check coefficient then refuses it', () => {
    const shape = { packed: 3, exact: 0 };
    const base = plannedFor(3, 3);
    const coefficients = coefficientCount(shape, base);
    const { parameters, uploads, shares } = scriptedCommittee(base, coefficients);
    // 62 bits are planes of 32, 16, 8, 4 and 2; two coefficients leave half of the last byte over.
    expect([coefficients, parameters.keptBits]).toEqual([2, 62]);
    let withinBound = 0;
    for (let tries = 0; tries < 100; tries++) {
      const upload = new Uint8Array(randomBytes(uploads[0]!.length));
      upload[upload.length - 1]! &= 0x0f;
      const result = combine({ parameters, sum: [...uploads.slice(1), upload], coefficients, addends: 3, shares });
      if (!result.ok) continue;
      withinBound++;
      expect(() => unpackSum(shape, parameters, result.coefficients, 3)).toThrow(/check coefficient|Digit sum/);
    }
    // A random coefficient is within the bound 0.28 of the time at (3, 3), both of them one time in 13.
    expect(withinBound).toBeGreaterThan(0);
  });
});
