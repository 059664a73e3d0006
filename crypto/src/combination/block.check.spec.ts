import { beforeAll, describe, expect, it } from 'vitest';
import { parameterSet } from '../ring/parameter.set.js';
import { loadSeal } from '../ring/seal.module.js';
import { blockOf } from './block.integers.fixture.js';
import { ciphertextAccumulator } from './ciphertext.sum.js';
import { plannedFor } from './scripted.committee.fixture.js';

const USED = 77;

describe('a block that is only checked', () => {
  const parameters = plannedFor(5, 4);
  const { keptBits, droppedBits } = parameters;
  const largest = (parameterSet(parameters.set).modulus - 1n) >> BigInt(droppedBits);
  const filled = (value: bigint): bigint[] => Array.from({ length: USED }, () => value);
  const block = blockOf(filled(largest), keptBits);
  const cases: [string, Uint8Array][] = [
    ['a byte too few', block.subarray(1)],
    ['a byte too many', Uint8Array.of(...block, 0)],
    ['no bytes', new Uint8Array()],
    ['a padding bit', block.with(block.length - 1, 0xff)],
    ['a coefficient beyond q', blockOf(filled(0n).with(USED - 1, largest + 1n), keptBits)],
  ];

  beforeAll(loadSeal);

  it('passes where it can be added, and is not in the sum', () => {
    const accumulator = ciphertextAccumulator(USED, parameters);
    for (let time = 0; time <= parameters.sites; time++) accumulator.check(block);
    expect(accumulator.addends).toBe(0);
    expect(() => accumulator.total()).toThrow(expect.objectContaining({ code: 'out-of-range' }));
    accumulator.add(block);
    const before = accumulator.total();
    accumulator.check(blockOf(filled(3n), keptBits));
    expect(accumulator.total()).toEqual(before);
  });

  it.each(cases)('is refused with %s, as when it is added', (_, malformed) => {
    const accumulator = ciphertextAccumulator(USED, parameters);
    const refusal = expect.objectContaining({ code: 'malformed' });
    expect(() => accumulator.check(malformed)).toThrow(refusal);
    expect(() => accumulator.add(malformed)).toThrow(refusal);
  });
});
