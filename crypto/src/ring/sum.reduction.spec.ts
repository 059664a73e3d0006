import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { composedAt } from './composed.words.js';
import { parameterSet, type ParameterSetName } from './parameter.set.js';
import { reduceSum, type Multiple } from './sum.reduction.js';

const NAMES: ParameterSetName[] = ['STANDARD', 'INSECURE_TEST_1024'];

/** Integers as limbs that have not been carried: up to `most` of each is moved to the one below, and the highest limb holds all that is above. */
function limbsOf(integers: readonly bigint[], count: number, most: number): Float64Array[] {
  const limbs = Array.from({ length: count }, () => new Float64Array(integers.length));
  integers.forEach((integer, index) => {
    for (let l = 0; l < count; l++)
      limbs[l]![index] = Number((integer >> BigInt(32 * l)) & (l === count - 1 ? 2n ** 52n - 1n : 2n ** 32n - 1n));
    for (let l = count - 1; l > 0; l--) {
      const borrowed = Math.min(limbs[l]![index]!, most);
      limbs[l]![index]! -= borrowed;
      limbs[l - 1]![index]! += borrowed * 2 ** 32;
    }
  });
  return limbs;
}

function reduced(integers: readonly bigint[], multiple: Multiple, name: ParameterSetName, most: number): bigint[] {
  const limbs = limbsOf(integers, Math.floor((191 - multiple.shift) / 32) + 1, most);
  const words = new BigUint64Array(3 * integers.length).fill(2n ** 64n - 1n);
  reduceSum(limbs, multiple, parameterSet(name), words);
  return integers.map((_, index) => composedAt(words, index));
}

const expected = (integers: readonly bigint[], { factor, start, shift }: Multiple, name: ParameterSetName): bigint[] =>
  integers.map((integer) => ((BigInt(factor) * integer + BigInt(start)) << BigInt(shift)) % parameterSet(name).modulus);

describe.each(NAMES)('sums of limbs that have not been carried, in %s', (name) => {
  const { modulus: q } = parameterSet(name);
  const excess = 2n ** 180n - q;

  it('are reduced modulo q at every shift, as integers are', () => {
    const edges = [
      0n,
      1n,
      q - 1n,
      q,
      q + 1n,
      2n ** 180n - 1n,
      2n ** 180n,
      2n * q - 1n,
      77n * q,
      1023n * 2n ** 180n,
      1024n * 2n ** 180n,
      (q << 17n) - 1n,
    ];
    // What the multiple of E carries up to q, and past it.
    edges.push(5n * 2n ** 180n + q - 5n * excess - 1n, 5n * 2n ** 180n + q - 5n * excess, 5n * 2n ** 180n + (2n ** 180n - 1n));
    for (let shift = 0; shift < 180; shift++) {
      for (const [factor, start] of [
        [1, 0],
        [2, 16],
        [2, 65_536],
      ] as const) {
        const integers = edges
          .map((edge) => ((edge >> BigInt(shift)) - BigInt(start)) / BigInt(factor))
          .map((value) => (value < 0n ? 0n : value));
        expect(reduced(integers, { factor, start, shift }, name, 5)).toEqual(expected(integers, { factor, start, shift }, name));
      }
    }
  });

  it('are reduced whatever they are', () => {
    const sums = fc.array(fc.bigInt({ min: 0n, max: (q << 18n) - 1n }), { minLength: 1, maxLength: 9 });
    const multiples = fc.record({ factor: fc.constantFrom(1, 2), start: fc.nat(65_536), shift: fc.nat(179) });
    fc.assert(
      fc.property(sums, multiples, fc.constantFrom(20, 12, 5, 0), fc.nat(2 ** 17), (wide, multiple, fewer, most) => {
        const integers = wide.map((value) => value >> BigInt(multiple.shift + fewer));
        expect(reduced(integers, multiple, name, most)).toEqual(expected(integers, multiple, name));
      }),
      { numRuns: 500 },
    );
  });
});
