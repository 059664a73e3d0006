import { beforeAll, describe, expect, it } from 'vitest';
import { addMessage } from '../encryption/message.scaling.js';
import { xof } from '../hashing/stream.xof.js';
import { clearLimbs } from './limb.vectors.js';
import { zeroElement } from './ring.element.js';
import { loadSeal } from './seal.module.js';
import { sealEngine } from './seal.engine.js';
import { set, q, elementOf, limbs, wordsOfLimbs, integersIn, integersOf } from './element.integers.fixture.js';

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
