import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { addMessage } from '../encryption/message.scaling.js';
import { bytesToHex } from '../hashing/bytes.codec.js';
import { MAX_ERROR, sampleErrors } from '../sampling/error.sampler.js';
import { xof } from '../hashing/stream.xof.js';
import { addSmudging, maxSmudging, smudgingSums } from '../sampling/smudging.sampler.js';
import { fillUniform, publicElement, uniformElement } from '../sampling/uniform.sampler.js';
import { composedAt, isReduced, wordsOf } from './composed.words.js';
import { composeLimbs, truncatedLimbs } from './crt.composition.js';
import { addConstant, clearLimbs, limbVectors, reduceLimbs, reduceWide, setWords, toWords } from './limb.vectors.js';
import { placeLimbs, WIDE_WORDS } from './limb.words.js';
import { parameterSet, type ParameterSetName } from './parameter.set.js';
import { bytesFromWords, elementFromBytes, evaluateAt, zeroElement, type RingElement } from './ring.element.js';
import { loadSeal, loadedSeal } from './seal.module.js';
import { sealEngine } from './seal.engine.js';
import { addScaledWords, inverse, multiplier, multiplyHigh, scaleWords } from './word.arithmetic.js';

const set = parameterSet('INSECURE_TEST_1024');
const q = set.modulus;
const word = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n });

/** The residues of integers, coefficient by coefficient. */
function elementOf(integers: readonly bigint[]): RingElement {
  const element = zeroElement(set);
  integers.forEach((integer, i) =>
    set.dataPrimes.forEach((prime, p) => (element[p * set.degree + i] = ((integer % prime) + prime) % prime)),
  );
  return element;
}

const limbs = limbVectors(set.degree);

/** Every coefficient as an integer in [0, q). */
function wordsOfElement(element: RingElement): BigUint64Array {
  composeLimbs(element, set, limbs, set.degree);
  return wordsOfLimbs();
}

function wordsOfLimbs(): BigUint64Array {
  reduceLimbs(limbs, set, set.degree);
  const words = new BigUint64Array(3 * set.degree);
  toWords(limbs, words, set.degree);
  return words;
}

const integersIn = (words: BigUint64Array): bigint[] => Array.from({ length: set.degree }, (_, index) => composedAt(words, index));
const integersOf = (element: RingElement): bigint[] => integersIn(wordsOfElement(element));

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

describe('samplers', () => {
  it('keep the public randomness: known answer', () => {
    const element = publicElement('00'.repeat(32), 1, set);
    expect([element[0], element[set.degree], element[2 * set.degree + 1023]]).toMatchInlineSnapshot(`
      [
        414307258922468574n,
        555257090057049986n,
        618962173788621223n,
      ]
    `);
    expect(publicElement('00'.repeat(32), 1, set)).toEqual(element);
    expect(publicElement('00'.repeat(32), 2, set)).not.toEqual(element);
    expect(bytesToHex(bytesFromWords(element)).length).toBe(3 * 1024 * 16);
  });

  it('draw uniform residues below each prime', () => {
    const element = uniformElement(set);
    set.dataPrimes.forEach((prime, p) => {
      const part = element.subarray(p * set.degree, (p + 1) * set.degree);
      const mean = part.reduce((sum, value) => sum + Number(value) / Number(prime), 0) / set.degree;
      expect(part.every((value) => value < prime)).toBe(true);
      expect(Math.abs(mean - 0.5)).toBeLessThan(0.06);
    });
  });

  it('draw again what is not below the prime, wherever the bytes lie', () => {
    const prime = set.dataPrimes[0]!;
    const rounds = [
      BigUint64Array.of(prime, 7n, (1n << 60n) - 1n, (15n << 60n) | 5n),
      BigUint64Array.of(prime - 1n, prime),
      BigUint64Array.of(0n),
    ];
    const asked: number[] = [];
    const target = new BigUint64Array(6).fill(99n);
    fillUniform(target, 1, 5, prime, (length) => {
      const words = rounds[asked.length]!;
      asked.push(length);
      const unaligned = new Uint8Array(words.byteLength + 1);
      unaligned.set(new Uint8Array(words.buffer), 1);
      return unaligned.subarray(1);
    });
    expect(asked).toEqual([32, 16, 8]);
    expect([...target]).toEqual([99n, 7n, 5n, prime - 1n, 0n, 99n]);
  });

  it('draw errors of the centred binomial distribution', () => {
    const errors = sampleErrors(65536);
    const mean = errors.reduce((sum, error) => sum + error, 0) / errors.length;
    const variance = errors.reduce((sum, error) => sum + error * error, 0) / errors.length;
    expect(Math.max(...errors.subarray(0, 50000), 0)).toBeLessThanOrEqual(MAX_ERROR);
    expect(Math.abs(mean)).toBeLessThan(0.1);
    expect(Math.abs(variance - 10.5)).toBeLessThan(0.5);
  });

  it('draw smudging noise as four uniform integers minus the mean, at any width', () => {
    for (const bits of [5, 32, 64, 97, 128]) {
      clearLimbs(limbs);
      addSmudging(limbs, smudgingSums(xof('noise', bits), bits, set.degree), bits, set);
      const values = integersIn(wordsOfLimbs()).map((value) => (value > q / 2n ? value - q : value));
      const scaled = values.map((value) => Number(value) / 2 ** bits);
      expect(values.every((value) => value <= maxSmudging(bits) && value >= -maxSmudging(bits))).toBe(true);
      expect(Math.abs(scaled.reduce((sum, value) => sum + value, 0) / set.degree)).toBeLessThan(0.08);
      expect(Math.abs(scaled.reduce((sum, value) => sum + value * value, 0) / set.degree - 1 / 3)).toBeLessThan(0.08);
    }
  });

  it('reach the ends of the smudging support without carrying wrongly', () => {
    for (const [fill, expected] of [
      [0xff, 1n],
      [0, -1n],
    ] as const) {
      const bits = 97;
      const ones = { read: (length: number) => new Uint8Array(length).fill(fill) } as ReturnType<typeof xof>;
      clearLimbs(limbs);
      addSmudging(limbs, smudgingSums(ones, bits, set.degree), bits, set);
      expect(integersIn(wordsOfLimbs())[7]).toBe((expected * maxSmudging(bits) + q) % q);
    }
  });
});

describe('the SEAL engine', () => {
  beforeAll(loadSeal);

  it('multiplies in the negacyclic ring', () => {
    const engine = sealEngine(set.name);
    const x = elementOf(Array.from({ length: set.degree }, (_, i) => (i === set.degree - 1 ? 1n : 0n)));
    const y = elementOf([3n, 5n, -7n]);
    const factor = engine.factor(engine.toNtt(y));
    const factors = [engine.toNtt(x), engine.toNtt(elementOf([2n]))];
    const [product, twice] = engine.products(2, factor, (element, index) => element.set(factors[index]!)).map(integersOf) as [
      bigint[],
      bigint[],
    ];
    expect(twice.slice(0, 4)).toEqual([6n, 10n, q - 14n, 0n]);
    factor.free();
    // X^(N−1)·(3 + 5X − 7X²) = −5 + 7X + 3X^(N−1)
    expect([product[0], product[1], product[set.degree - 1]]).toEqual([q - 5n, 7n, 3n]);
  });

  it('draws ternary secrets', () => {
    const engine = sealEngine(set.name);
    const one = elementOf([1n]);
    const factor = engine.factor(engine.toNtt(one));
    const secret = integersOf(engine.products(1, factor, (element) => element.set(engine.ternarySecret()))[0]!);
    factor.free();
    expect(new Set(secret)).toEqual(new Set([0n, 1n, q - 1n]));
  });

  it('scales messages and rounds them back exactly as the integers say', () => {
    const engine = sealEngine(set.name);
    const t = set.plainModulus;
    const stream = xof('messages');
    const message = BigUint64Array.from({ length: set.degree }, (_, i) => [0n, 1n, t - 1n, t / 2n][i] ?? stream.uniformBelow(t));
    clearLimbs(limbs);
    const errors = Int8Array.from({ length: set.degree }, (_, i) => [21, -21, 0][i % 3]!);
    addMessage(limbs, message, errors, set);
    const scaled = integersIn(wordsOfLimbs());
    expect(scaled).toEqual(Array.from(message, (m, i) => ((q * m + (t + 1n) / 2n) / t + BigInt(errors[i]!) + q) % q));
    expect(engine.roundToMessage(elementOf(scaled))).toEqual(message);
    expect(engine.roundToMessage(zeroElement(set))).toEqual(new BigUint64Array(set.degree));
  });
});
