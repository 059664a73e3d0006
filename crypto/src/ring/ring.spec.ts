import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { bytesToHex } from '../hashing/bytes.codec.js';
import { addErrors, MAX_ERROR, sampleErrors } from '../sampling/error.sampler.js';
import { xof } from '../hashing/stream.xof.js';
import { addSmudging, maxSmudging, smudgingLimbs } from '../sampling/smudging.sampler.js';
import { publicElement, uniformElement } from '../sampling/uniform.sampler.js';
import { compose, truncatedLimbs } from './crt.composition.js';
import { placeLimbs, wideInteger } from './limb.words.js';
import { composedAt, isReduced, modulusFold, reduceInto, residueWords } from './modulus.fold.js';
import { parameterSet, type ParameterSetName } from './parameter.set.js';
import { bytesFromWords, elementFromBytes, evaluateAt, zeroElement, type RingElement } from './ring.element.js';
import { loadSeal, loadedSeal } from './seal.module.js';
import { sealEngine } from './seal.engine.js';
import { inverse, multiplier, multiplyBy, multiplyHigh } from './word.arithmetic.js';

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

function integersOf(element: RingElement): bigint[] {
  const words = compose(element, set);
  return Array.from({ length: set.degree }, (_, index) => composedAt(words, index));
}

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
        const { factor, quotient } = multiplier(b, prime);
        return multiplyHigh(a, b) === (a * b) >> 64n && multiplyBy(a, factor, quotient, prime) === (a * b) % prime;
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
      (1n << 244n) - 1n,
      q << 63n,
      (q << 63n) - 1n,
    ];
    const stream = xof('reduce');
    const fold = modulusFold(set);
    const { words } = wideInteger();
    const target = new BigUint64Array(6);
    for (const integer of [...edges, ...Array.from({ length: 500 }, (_, i) => stream.uniformBelow(1n << BigInt(150 + (i % 95))))]) {
      for (let w = 0; w < 4; w++) words[w] = (integer >> BigInt(64 * w)) & ((1n << 64n) - 1n);
      reduceInto(target, 3, words, fold);
      expect(composedAt(target, 1)).toBe(integer % q);
    }
    expect(residueWords(-1n, set)).toEqual([...residueWords(q - 1n, set)]);
    expect(isReduced(BigUint64Array.from([...residueWords(q - 1n, set), 0n, 0n, 1n << 51n]), set)).toBe(true);
    const [low, middle, top] = residueWords(q - 1n, set);
    for (const beyond of [
      [low + 1n, middle, top],
      [0n, middle + 1n, top],
      [0n, 0n, top + 1n],
    ]) {
      expect(isReduced(BigUint64Array.from([0n, 0n, 0n, ...beyond]), set)).toBe(false);
    }
  });

  it('puts sums of limbs together, shifted by any number of bits', () => {
    const wide = wideInteger();
    const value = (): bigint => wide.words.reduceRight((all, word) => (all << 64n) | word, 0n);
    const limb = fc.integer({ min: 0, max: 2 ** 52 - 1 });
    fc.assert(
      fc.property(fc.array(limb, { minLength: 1, maxLength: 4 }), fc.integer({ min: 0, max: 100 }), (sums, shift) => {
        placeLimbs(
          sums.map((sum) => Float64Array.of(1, sum)),
          1,
          shift,
          wide,
        );
        return value() === sums.reduce((all, sum, l) => all + (BigInt(sum) << BigInt(32 * l + shift)), 0n);
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
    const composed = compose(elementOf(integers), set);
    for (const kept of [1, 31, 32, 33, 62, 64, 68, 75, 84, 96, 148, 179, 180]) {
      const limbs = truncatedLimbs(composed, 180 - kept, kept);
      const found = integers.map((_, index) => limbs.reduce((sum, limb, l) => sum + (BigInt(limb[index]!) << BigInt(32 * l)), 0n));
      expect(found).toEqual(integers.map((integer) => integer >> BigInt(180 - kept)));
    }
    // Some of the bits above what is dropped, as a whole coefficient has more than 180 of them.
    expect(truncatedLimbs(composed, 10, 20)[0]![5]).toBe(Number((integers[5]! >> 10n) & 0xfffffn));
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

  it('draw errors of the centred binomial distribution', () => {
    const errors = sampleErrors(65536);
    const mean = errors.reduce((sum, error) => sum + error, 0) / errors.length;
    const variance = errors.reduce((sum, error) => sum + error * error, 0) / errors.length;
    expect(Math.max(...errors.subarray(0, 50000), 0)).toBeLessThanOrEqual(MAX_ERROR);
    expect(Math.abs(mean)).toBeLessThan(0.1);
    expect(Math.abs(variance - 10.5)).toBeLessThan(0.5);
    const element = elementOf([5n, 5n, q - 1n]);
    addErrors(
      element,
      Int8Array.from({ length: set.degree }, (_, i) => [21, -21, 3][i] ?? 0),
      set,
    );
    expect(integersOf(element).slice(0, 3)).toEqual([26n, q - 16n, 2n]);
  });

  it('draw smudging noise as four uniform integers minus the mean, at any width', () => {
    for (const bits of [5, 32, 64, 97, 128]) {
      const element = zeroElement(set);
      addSmudging(element, smudgingLimbs(xof('noise', bits), bits, set.degree), bits, set);
      const values = integersOf(element).map((value) => (value > q / 2n ? value - q : value));
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
      const element = zeroElement(set);
      addSmudging(element, smudgingLimbs(ones, bits, set.degree), bits, set);
      expect(integersOf(element)[7]).toBe((expected * maxSmudging(bits) + q) % q);
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
    const product = integersOf(engine.productCoefficients(engine.toNtt(x), factor));
    factor.free();
    // X^(N−1)·(3 + 5X − 7X²) = −5 + 7X + 3X^(N−1)
    expect([product[0], product[1], product[set.degree - 1]]).toEqual([q - 5n, 7n, 3n]);
  });

  it('draws ternary secrets', () => {
    const engine = sealEngine(set.name);
    const one = elementOf([1n]);
    const factor = engine.factor(engine.toNtt(one));
    const secret = integersOf(engine.productCoefficients(engine.ternarySecret(), factor));
    factor.free();
    expect(new Set(secret)).toEqual(new Set([0n, 1n, q - 1n]));
  });

  it('scales messages and rounds them back exactly as the integers say', () => {
    const engine = sealEngine(set.name);
    const t = set.plainModulus;
    const stream = xof('messages');
    const message = BigUint64Array.from({ length: set.degree }, (_, i) => [0n, 1n, t - 1n, t / 2n][i] ?? stream.uniformBelow(t));
    const scaled = engine.addScaledMessage(zeroElement(set), message);
    expect(integersOf(scaled)).toEqual(Array.from(message, (m) => (q * m + (t + 1n) / 2n) / t));
    expect(engine.roundToMessage(scaled)).toEqual(message);
    expect(engine.roundToMessage(zeroElement(set))).toEqual(new BigUint64Array(set.degree));
  });
});
