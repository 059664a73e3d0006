import { describe, expect, it } from 'vitest';
import { bytesToHex } from '../hashing/bytes.codec.js';
import { MAX_ERROR, sampleErrors } from './error.sampler.js';
import { xof } from '../hashing/stream.xof.js';
import { addSmudging, maxSmudging, smudgingSums } from './smudging.sampler.js';
import { fillUniform, publicElement, uniformElement } from './uniform.sampler.js';
import { clearLimbs } from '../ring/limb.vectors.js';
import { bytesFromWords } from '../ring/ring.element.js';
import { set, q, limbs, wordsOfLimbs, integersIn } from '../ring/element.integers.fixture.js';

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
