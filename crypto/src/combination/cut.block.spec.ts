import { randomBytes } from 'node:crypto';
import { beforeAll, describe, expect, it } from 'vitest';
import { coefficientCount, unpackSum } from '../packing/vector.packing.js';
import { ciphertextBlockDigests, ciphertextBytes, encryptVector } from '../encryption/vector.encryption.js';
import { parameterSet } from '../ring/parameter.set.js';
import { bytesFromCut, type RingElement } from '../ring/ring.element.js';
import { loadSeal } from '../ring/seal.module.js';
import { decryptionShare, shareBlockDigests, shareBytes, shareElements } from '../shares/decryption.share.js';
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

describe('a malformed end of an upload', () => {
  it('is any bit behind the last coefficient', () => {
    const { uploads, parameters } = five;
    for (const bit of [4, 5, 6, 7]) {
      const padded = uploads[0]!.slice();
      padded[padded.length - 1]! |= 1 << bit;
      expect(() => sumCiphertexts([padded], CUT, parameters)).toThrow('zero bits');
      expect(() => ciphertextBlockDigests(padded, CUT, parameters)).toThrow(coded('malformed'));
    }
  });
});

describe('uploads', () => {
  it.each([62, 65, 68, 75, 93])('end with zero bits at %i bits a coefficient', (keptBits) => {
    const parameters = { ...five.parameters, keptBits, droppedBits: 180 - keptBits };
    for (const coefficients of [1, 2, 3, 5, 7, 8, 1025, 1031]) {
      const upload = encryptVector({ parameters, k: K, secretKey: five.secretKeys[0]!, coefficients: new BigUint64Array(coefficients) });
      const bits = (coefficients % 1024) * keptBits;
      expect(upload.length).toBe(Math.floor(coefficients / 1024) * 128 * keptBits + Math.ceil(bits / 8));
      expect(bits % 8 === 0 || upload.at(-1)! >> (bits % 8) === 0).toBe(true);
      expect(sumCiphertexts([upload], coefficients, parameters).coefficients).toBe(coefficients);
    }
  });
});

describe('the noise of a share', () => {
  it('is the same where two releases of different length overlap', () => {
    const { parameters } = five;
    const set = parameterSet(parameters.set);
    const elements = (coefficients: number): RingElement[] =>
      shareElements(decryptionShare({ ...shareInput(five, 1), coefficients }), coefficients, parameters, 'A share');
    const longest = elements(2048);
    for (const coefficients of [1, 2, 7, 301, 1023, 1024, 1025, CUT, 2047]) {
      for (const [block, element] of elements(coefficients).entries()) {
        const used = Math.min(1024, coefficients - block * 1024);
        expect(bytesFromCut(element, used, set)).toEqual(bytesFromCut(longest[block]!, used, set));
        // What is not in use did not travel.
        for (let p = 0; p < 3; p++) expect(element.subarray(p * 1024 + used, (p + 1) * 1024).every((word) => word === 0n)).toBe(true);
      }
    }
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
    const set = parameterSet(parameters.set);
    const wrong = shares.get(2)!.slice();
    // The last coefficient in use, off by a third of the first prime in one residue.
    const at = 3 * 1024 + 300;
    const words = new BigUint64Array(wrong.buffer);
    words[at] = (words[at]! + set.dataPrimes[0]! / 3n) % set.dataPrimes[0]!;
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
    const spare = (coefficients * parameters.keptBits) % 8;
    let withinBound = 0;
    for (let tries = 0; tries < 100; tries++) {
      const upload = new Uint8Array(randomBytes(uploads[0]!.length));
      if (spare > 0) upload[upload.length - 1]! &= 2 ** spare - 1;
      const result = combine({ parameters, sum: [...uploads.slice(1), upload], coefficients, addends: 3, shares });
      if (!result.ok) continue;
      withinBound++;
      expect(() => unpackSum(shape, parameters, result.coefficients, 3)).toThrow(/check coefficient|Digit sum/);
    }
    // A random coefficient is within the bound 0.28 of the time at (3, 3), both of them one time in 13.
    expect(withinBound).toBeGreaterThan(0);
  });
});
