import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parametersDigest } from '../ring/aggregation.parameters.js';
import { parameterSet, type AggregationParameters } from '../ring/parameter.set.js';
import { blockCount, coefficientCount, packVector, unpackSum } from './vector.packing.js';

const parameters: AggregationParameters = {
  set: 'INSECURE_TEST_1024',
  sites: 5,
  keyHolders: 5,
  threshold: 4,
  kappa: 80,
  smudgingBits: 91,
  droppedBits: 112,
  keptBits: 68,
  shareDroppedBits: 85,
  digitsPerCoefficient: 3,
  digitBits: 19,
  valueBits: 16,
};
const refused = (code: string) => expect.objectContaining({ code }) as Error;

describe('malformed parameters', () => {
  it.each<[Partial<AggregationParameters>, string]>([
    [{ set: 'STANDARD ' as 'STANDARD' }, 'bad-parameters'],
    [{ sites: 0 }, 'bad-parameters'],
    [{ sites: 1.5 }, 'bad-parameters'],
    [{ smudgingBits: 161 }, 'bad-parameters'],
    [{ keptBits: 69 }, 'bad-parameters'],
    [{ droppedBits: 180, keptBits: 0 }, 'bad-parameters'],
    [{ digitsPerCoefficient: 4 }, 'bad-parameters'],
    [{ valueBits: 20 }, 'bad-parameters'],
    [{ keyHolders: 13 }, 'bad-parameters'],
    [{ threshold: 6 }, 'bad-committee'],
    [{ kappa: Number.NaN }, 'bad-parameters'],
    [{ sites: 2 ** 16 + 1 }, 'bad-parameters'],
    [{ shareDroppedBits: -1 }, 'bad-parameters'],
    [{ shareDroppedBits: 92 }, 'bad-parameters'],
  ])('%j are refused', (change, code) => {
    expect(() => parametersDigest({ ...parameters, ...change })).toThrow(refused(code));
  });

  it('have a digest that every number changes', () => {
    const digests = [
      parameters,
      { ...parameters, sites: 6 },
      { ...parameters, kappa: 79 },
      { ...parameters, smudgingBits: 90 },
      { ...parameters, valueBits: 15 },
    ];
    expect(new Set(digests.map(parametersDigest)).size).toBe(digests.length);
    // Truncation comes after the noise, which must not change with it.
    expect(parametersDigest({ ...parameters, shareDroppedBits: 3 })).toBe(parametersDigest(parameters));
  });
});

describe('malformed vectors', () => {
  const shape = { packed: 4, exact: 1 };
  const good = Uint32Array.of(1, 2, 3, 4);

  it('are refused before packing', () => {
    const attempts: (() => unknown)[] = [
      () => packVector(shape, parameters, good.subarray(1), [1n]),
      () => packVector(shape, parameters, good, []),
      () => packVector(shape, parameters, Uint32Array.of(1, 2, 3, 65536), [1n]),
      () => packVector(shape, parameters, good, [-1n]),
      () => packVector(shape, parameters, good, [1n << 48n]),
      () => packVector(shape, parameters, good, Float64Array.of(0.5)),
      () => packVector({ packed: -1, exact: 0 }, parameters, good, []),
      () => packVector({ packed: 0, exact: 0 }, parameters, new Uint32Array(0), []),
      () => coefficientCount({ packed: 0, exact: 0 }, parameters),
      () => coefficientCount({ packed: 0, exact: 2 ** 30 + 1 }, parameters),
      () => blockCount({ packed: 0, exact: 0 }, parameters),
      () => blockCount({ packed: 1.5, exact: 0 }, parameters),
    ];
    for (const attempt of attempts) expect(attempt).toThrow(refused('out-of-range'));
  });

  it('are refused after decoding', () => {
    const coefficients = packVector(shape, parameters, good, [1n]);
    const changed = (index: number, value: bigint): BigUint64Array => {
      const copy = coefficients.slice();
      copy[index] = value;
      return copy;
    };
    const attempts: (() => unknown)[] = [
      () => unpackSum(shape, parameters, coefficients.subarray(1), 1),
      () => unpackSum(shape, parameters, new BigUint64Array(5), 1),
      () => unpackSum(shape, parameters, new BigUint64Array(1024), 1),
      () => unpackSum(shape, parameters, coefficients, 0),
      () => unpackSum(shape, parameters, coefficients, 6),
      // One digit beyond what one addend can send, in the lowest and in the highest place.
      () => unpackSum(shape, parameters, changed(0, 65536n), 1),
      () => unpackSum(shape, parameters, changed(0, 65536n << 38n), 1),
      // A second digit where the vector has only one left, and an exact sum too large.
      () => unpackSum(shape, parameters, changed(1, 1n << 19n), 1),
      () => unpackSum(shape, parameters, changed(2, 1n << 48n), 1),
      // A check coefficient that is not zero.
      () => unpackSum(shape, parameters, changed(3, 1n), 1),
    ];
    for (const attempt of attempts) expect(attempt).toThrow(refused('out-of-range'));
  });
});

describe('packing', () => {
  it('counts coefficients and blocks', () => {
    expect(coefficientCount({ packed: 7, exact: 2 }, parameters)).toBe(6);
    expect(blockCount({ packed: 3 * 1024 - 6, exact: 1 }, parameters)).toBe(1);
    expect(blockCount({ packed: 3 * 1024 - 6, exact: 2 }, parameters)).toBe(2);
    expect(blockCount({ packed: 0, exact: 1 }, parameters)).toBe(1);
  });

  it('fills the coefficients in use and no others', () => {
    expect(packVector({ packed: 4, exact: 1 }, parameters, Uint32Array.of(1, 2, 3, 4), [5n])).toEqual(
      BigUint64Array.of(1n + (2n << 19n) + (3n << 38n), 4n, 5n, 0n),
    );
    expect(coefficientCount({ packed: 961, exact: 4 }, parameters)).toBe(326);
    expect(packVector({ packed: 961, exact: 4 }, parameters, new Uint32Array(961), new Float64Array(4)).length).toBe(326);
  });

  it('adds like the integers it holds', () => {
    const vector = fc.record({
      packed: fc.uint8Array({ minLength: 14, maxLength: 14 }).map((bytes) => Uint32Array.from(new Uint16Array(bytes.slice().buffer))),
      exact: fc.array(fc.bigInt({ min: 0n, max: (1n << 48n) - 1n }), { minLength: 2, maxLength: 2 }),
    });
    const layouts = fc.constantFrom(
      {},
      { digitsPerCoefficient: 2, digitBits: 28 },
      { digitsPerCoefficient: 1, digitBits: 40 },
      { digitBits: 20, digitsPerCoefficient: 2 },
    );
    fc.assert(
      fc.property(fc.array(vector, { minLength: 1, maxLength: 5 }), layouts, (vectors, layout) => {
        const shape = { packed: 7, exact: 2 };
        const chosen = { ...parameters, ...layout };
        const sum = new BigUint64Array(coefficientCount(shape, chosen));
        for (const { packed, exact } of vectors) packVector(shape, chosen, packed, exact).forEach((value, index) => (sum[index]! += value));
        const opened = unpackSum(shape, chosen, sum, vectors.length);
        expect(Array.from(opened.packed)).toEqual(
          Array.from({ length: 7 }, (_, i) => vectors.reduce((total, v) => total + v.packed[i]!, 0)),
        );
        expect(opened.exact).toEqual([0, 1].map((i) => vectors.reduce((total, v) => total + v.exact[i]!, 0n)));
      }),
      { numRuns: 60 },
    );
  });

  it('holds all-maximal digits of all sites without touching a neighbour', () => {
    const shape = { packed: 6, exact: 1 };
    const one = packVector(shape, parameters, new Uint32Array(6).fill(65535), [(1n << 48n) - 1n]);
    const opened = unpackSum(
      shape,
      parameters,
      one.map((value) => value * 5n),
      5,
    );
    expect(Array.from(opened.packed)).toEqual(Array.from({ length: 6 }, () => 5 * 65535));
    expect(opened.exact).toEqual([5n * ((1n << 48n) - 1n)]);
    expect(one.map((value) => value * 5n).every((value) => value < parameterSet('INSECURE_TEST_1024').plainModulus)).toBe(true);
  });

  it('takes digits of any width out of a coefficient as integers do', () => {
    const layout = fc
      .tuple(fc.integer({ min: 1, max: 4 }), fc.integer({ min: 1, max: 56 }))
      .filter(([digits, bits]) => bits * (digits - 1) <= 56);
    const word = fc.bigInt({ min: 0n, max: 2n ** 57n - 1n });
    fc.assert(
      fc.property(layout, fc.array(word, { minLength: 1, maxLength: 6 }), fc.nat(3), ([digits, bits], words, unused) => {
        const packed = words.length * digits - Math.min(unused, digits - 1);
        const wide = { ...parameters, sites: 2 ** 16, digitsPerCoefficient: digits, digitBits: bits, valueBits: Math.min(bits, 32) };
        const limit = 2 ** 16 * (2 ** wide.valueBits - 1);
        const expected = Array.from({ length: packed }, (_, index) => {
          const rest = words[Math.floor(index / digits)]! >> BigInt((index % digits) * bits);
          const isLast = index % digits === digits - 1 || index === packed - 1;
          return Number(isLast ? rest : BigInt.asUintN(bits, rest));
        });
        const unpack = () => unpackSum({ packed, exact: 0 }, wide, BigUint64Array.of(...words, 0n), 2 ** 16);
        if (expected.some((digit) => digit > limit)) expect(unpack).toThrow(refused('out-of-range'));
        else expect([...unpack().packed]).toEqual(expected);
      }),
      { numRuns: 500 },
    );
  });
});
