import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { xof } from '../hashing/stream.xof.js';
import { uniformElement } from '../sampling/uniform.sampler.js';
import { composedAt, isReduced, wordsOf } from './composed.words.js';
import { truncatedLimbs } from './crt.composition.js';
import { addConstant, clearLimbs, limbVectors, reduceWide, setWords, toWords } from './limb.vectors.js';
import { placeLimbs, WIDE_WORDS } from './limb.words.js';
import { parameterSet, type ParameterSetName } from './parameter.set.js';
import { bytesFromWords, elementFromBytes, evaluateAt } from './ring.element.js';
import { loadedSeal } from './seal.module.js';
import { addScaledWords, inverse, multiplier, multiplyHigh, scaleWords } from './word.arithmetic.js';
import { set, q, elementOf, limbs, wordsOfElement, wordsOfLimbs, integersIn, integersOf } from './element.integers.fixture.js';

const word = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n });

describe('malformed ring elements', () => {
  it('are refused with a code', () => {
    const good = bytesFromWords(uniformElement(set));
    const beyond = good.slice();
    new DataView(beyond.buffer).setBigUint64(8 * set.degree, set.dataPrimes[1]!, true);
    for (const bytes of [new Uint8Array(), good.subarray(1), new Uint8Array(good.length + 8), beyond, undefined as unknown as Uint8Array]) {
      expect(() => elementFromBytes(bytes, set, 'The element')).toThrow(expect.objectContaining({ code: 'malformed' }));
    }
    expect(bytesFromWords(elementFromBytes(good, set, 'The element'))).toEqual(good);
  });

  it('name an unknown parameter set', () => {
    expect(() => parameterSet('toString' as ParameterSetName)).toThrow(expect.objectContaining({ code: 'bad-parameters' }));
  });

  it('cannot be computed with before loading', () => {
    expect(() => loadedSeal()).toThrow('loadCrypto');
  });
});

describe('word arithmetic', () => {
  it('agrees with unbounded integers', () => {
    const prime = set.dataPrimes[0]!;
    fc.assert(
      fc.property(word, word, (a, b) => {
        const by = multiplier(b, prime);
        const scaled = BigUint64Array.of(5n, a);
        scaleWords(scaled, 1, 2, by);
        const added = BigUint64Array.of(prime - 1n);
        addScaledWords(added, 0, 1, BigUint64Array.of(0n, a), 1, by);
        expect([...scaled, ...added]).toEqual([5n, (a * b) % prime, (prime - 1n + a * b) % prime]);
        return multiplyHigh(a, b) === (a * b) >> 64n;
      }),
    );
    expect((inverse(12345n, prime) * 12345n) % prime).toBe(1n);
  });

  it('composes residues to the integer in [0, q), extremes included', () => {
    const edges = [
      0n,
      1n,
      q - 1n,
      q / 2n,
      q / 2n + 1n,
      ...set.dataPrimes,
      set.dataPrimes[0]! * set.dataPrimes[1]!,
      (1n << 128n) - 1n,
      1n << 64n,
    ];
    const stream = xof('compose');
    const integers = [...edges, ...Array.from({ length: set.degree - edges.length }, () => stream.uniformBelow(q))];
    expect(integersOf(elementOf(integers))).toEqual(integers);
  });

  it('reduces wide integers, extremes included', () => {
    for (const { modulus } of [set, parameterSet('STANDARD')]) {
      expect(modulus < 1n << 180n && (1n << 180n) - modulus < 1n << 139n).toBe(true);
    }
    const edges = [
      0n,
      1n,
      q - 1n,
      q,
      q + 1n,
      2n * q - 1n,
      2n * q,
      (1n << 180n) - 1n,
      1n << 180n,
      (1n << 241n) - 1n,
      q << 60n,
      (q << 60n) - 1n,
    ];
    const stream = xof('reduce');
    const integers = [...edges, ...Array.from({ length: 500 }, (_, i) => stream.uniformBelow(1n << BigInt(150 + (i % 92))))];
    const wide = BigUint64Array.from(integers.flatMap((integer) => [...wordsOf(integer & ((1n << 192n) - 1n)), integer >> 192n]));
    const target = limbVectors(integers.length);
    setWords(target, wide, integers.length);
    reduceWide(target, set, integers.length);
    const words = new BigUint64Array(3 * integers.length);
    toWords(target, words, integers.length);
    expect(integers.map((_, index) => composedAt(words, index))).toEqual(integers.map((integer) => integer % q));
    expect(isReduced(words, set)).toBe(true);
    expect(isReduced(BigUint64Array.from([0n, 0n, 0n, ...wordsOf(q)]), set)).toBe(false);
    expect(isReduced(BigUint64Array.from(wordsOf(q - 1n)), set)).toBe(true);
  });

  it('reduces sums of residues without a word for what is above', () => {
    clearLimbs(limbs);
    for (let times = 1; times <= 15; times++) {
      addConstant(limbs, q - 1n, set.degree);
      if (times % 5 === 0) expect(integersIn(wordsOfLimbs())[3]).toBe(q - 5n * BigInt(times / 5));
    }
  });

  it('puts sums of limbs together, shifted by any number of bits', () => {
    const limb = fc.integer({ min: 0, max: 2 ** 52 - 1 });
    fc.assert(
      fc.property(fc.array(limb, { minLength: 1, maxLength: 4 }), fc.integer({ min: 0, max: 100 }), (sums, shift) => {
        const words = placeLimbs(
          sums.map((sum) => Float64Array.of(2 ** 52 - 1, sum)),
          shift,
        );
        const value = words.slice(WIDE_WORDS).reduceRight((all, word) => (all << 64n) | word, 0n);
        return value === sums.reduce((all, sum, l) => all + (BigInt(sum) << BigInt(32 * l + shift)), 0n);
      }),
    );
  });

  it('evaluates polynomials at small signed points', () => {
    const coefficients = [elementOf([7n]), elementOf([11n]), elementOf([13n])];
    expect(integersOf(evaluateAt(coefficients, -3, set))[0]).toBe(7n - 33n + 117n);
    expect(integersOf(evaluateAt(coefficients.slice(0, 2), -3, set))[0]).toBe(q - 26n);
  });

  it('truncates to limbs, at every width', () => {
    const stream = xof('pack');
    const integers = Array.from({ length: set.degree }, (_, i) => (i === 0 ? q - 1n : stream.uniformBelow(q)));
    const composed = wordsOfElement(elementOf(integers));
    for (const kept of [1, 31, 32, 33, 62, 64, 68, 75, 84, 96, 148, 179, 180]) {
      const limbs = truncatedLimbs(composed, set.degree, 180 - kept, kept);
      const found = integers.map((_, index) => limbs.reduce((sum, limb, l) => sum + (BigInt(limb[index]!) << BigInt(32 * l)), 0n));
      expect(found).toEqual(integers.map((integer) => integer >> BigInt(180 - kept)));
    }
    // Some of the bits above what is dropped, as a whole coefficient has more than 180 of them.
    expect(truncatedLimbs(composed, set.degree, 10, 20)[0]![5]).toBe(Number((integers[5]! >> 10n) & 0xfffffn));
  });
});
