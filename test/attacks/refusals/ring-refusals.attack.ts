/*
 * Refusals of the ring itself: nothing is computed before its library is loaded, nor with a library whose primes are not those that were agreed on.
 */
import { loadCrypto, parameterSet } from '@coferment/crypto';
import { describe, expect, it } from 'vitest';
import { SealEngine } from '../../../crypto/src/ring/seal.engine.js';
import { loadedSodium } from '../../../crypto/src/sealing/sodium.loader.js';

const set = parameterSet('INSECURE_TEST_1024');
const coded = (code: string): Error => expect.objectContaining({ code }) as Error;

describe('the ring', () => {
  it('computes nothing before it is loaded', () => {
    expect(() => new SealEngine(set)).toThrow(coded('not-loaded'));
    expect(() => loadedSodium()).toThrow(coded('not-loaded'));
  });

  it('computes nothing with other primes than those of the parameter set', async () => {
    await loadCrypto();
    const [first, ...rest] = set.dataPrimes;
    expect(() => new SealEngine({ ...set, dataPrimes: [first! - 2n, ...rest] })).toThrow(coded('self-check'));
    expect(() => new SealEngine(set)).not.toThrow();
  });
});
