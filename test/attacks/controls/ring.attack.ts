import { loadCrypto, parameterSet } from '@coferment/crypto';
import { beforeAll, expect, it } from 'vitest';
import { sealEngine } from '../../../crypto/src/ring/seal.engine.js';
import { AttackerRing } from './ring.fixture.js';

beforeAll(loadCrypto);

/* An attack that fails because its own arithmetic is wrong would look like a defence, so that arithmetic is checked first. */
it.each(['INSECURE_TEST_1024', 'STANDARD'] as const)("the attackers' transform in %s is SEAL's, and has an inverse", (name) => {
  const set = parameterSet(name);
  const ring = new AttackerRing(set);
  const coefficients = Array.from({ length: set.degree }, (_, index) => BigInt(index + 3) ** 17n % set.modulus);
  const residues = new BigUint64Array(set.dataPrimes.length * set.degree);
  set.dataPrimes.forEach((prime, p) => coefficients.forEach((value, index) => (residues[p * set.degree + index] = value % prime)));
  const slots = ring.toSlots(coefficients);
  expect(sealEngine(name).toNtt(residues)).toEqual(slots);
  expect(ring.toCoefficients(slots)).toEqual(coefficients);
  expect(ring.divide(ring.multiply(slots, slots), slots)).toEqual(slots);
});
