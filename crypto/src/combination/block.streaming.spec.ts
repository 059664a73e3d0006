import { beforeAll, describe, expect, it } from 'vitest';
import { concatBytes } from '../hashing/bytes.codec.js';
import { xof } from '../hashing/stream.xof.js';
import { ciphertextBlockSpan, encryptBlocks } from '../encryption/vector.encryption.js';
import { parameterSet, type AggregationParameters } from '../ring/parameter.set.js';
import { loadSeal } from '../ring/seal.module.js';
import { decryptionShareBlocks, shareBlockSpan } from '../shares/decryption.share.js';
import { blockOf, integersOf } from './block.integers.fixture.js';
import { openBlock } from './block.opening.js';
import { ciphertextAccumulator } from './ciphertext.sum.js';
import { judgeParity } from './parity.check.js';
import { K, plannedFor, scriptedCommittee, shareInput, type ScriptedCommittee } from './scripted.committee.fixture.js';

/** Four whole blocks and one cut: an odd number, as blocks go through SEAL in twos. */
const COEFFICIENTS = 4 * 1024 + 77;
const BLOCKS = 5;
const coded = (code: string): Error => expect.objectContaining({ code }) as Error;
let five: ScriptedCommittee;

beforeAll(async () => {
  await loadSeal();
  five = scriptedCommittee(plannedFor(5, 4), COEFFICIENTS);
});

describe('impossible ranges and blocks', () => {
  it.each([
    [0, 0],
    [2, 1],
    [-1, 1],
    [0, BLOCKS + 1],
    [0.5, 1],
    [0, Number.NaN],
  ])('from %d to %d are refused', (from, to) => {
    const encryption = { parameters: five.parameters, k: K, secretKey: five.secretKeys[0]!, coefficients: five.vectors[0]! };
    expect(() => encryptBlocks({ ...encryption, from, to })).toThrow(coded('out-of-range'));
    expect(() => decryptionShareBlocks({ ...shareInput(five, 0), from, to })).toThrow(coded('out-of-range'));
  });

  it('of another size are not added, and leave the sum as it was', () => {
    const { parameters, uploads } = five;
    for (const used of [0, 1.5, 1025, Number.NaN]) expect(() => ciphertextAccumulator(used, parameters)).toThrow(coded('out-of-range'));
    const accumulator = ciphertextAccumulator(77, parameters);
    expect(() => accumulator.total()).toThrow(coded('out-of-range'));
    const { offset } = ciphertextBlockSpan(4, COEFFICIENTS, parameters);
    const block = uploads[0]!.subarray(offset);
    accumulator.add(block);
    const before = accumulator.total();
    expect(() => accumulator.add(block.subarray(1))).toThrow(coded('malformed'));
    expect(() => accumulator.add(block.with(block.length - 1, 0xff))).toThrow(coded('malformed'));
    const beyond = blockOf([...Array.from({ length: 76 }, () => 0n), (1n << 68n) - 1n], 68);
    expect(() => accumulator.add(beyond)).toThrow('larger than any truncated residue');
    expect(accumulator.addends).toBe(1);
    expect(accumulator.total()).toEqual(before);
  });
});

describe('block by block', () => {
  it('shares are the bytes of the whole', () => {
    const pieces = [
      [0, 1],
      [1, 3],
      [3, BLOCKS],
    ].map(([from, to]) => decryptionShareBlocks({ ...shareInput(five, 2), from: from!, to: to! }));
    expect(concatBytes(pieces)).toEqual(five.shares.get(2));
  });

  it('a vector is encrypted, added and opened as the whole is', () => {
    const { parameters, uploads, shares, secretKeys, vectors, expected } = five;
    const again = [0, 1, 2, 3, 4].map((block) =>
      encryptBlocks({ parameters, k: K, secretKey: secretKeys[3]!, coefficients: vectors[3]!, from: block, to: block + 1 }),
    );
    const all = uploads.with(3, concatBytes(again));
    const failedRelations: number[][] = [];
    const opened = new BigUint64Array(COEFFICIENTS);
    for (let block = 0; block < BLOCKS; block++) {
      const { offset, length, coefficients: used } = ciphertextBlockSpan(block, COEFFICIENTS, parameters);
      const accumulator = ciphertextAccumulator(used, parameters);
      for (const upload of all) accumulator.add(upload.subarray(offset, offset + length));
      const span = shareBlockSpan(block, COEFFICIENTS, parameters);
      const blockShares = new Map([...shares].map(([holder, share]) => [holder, share.slice(span.offset, span.offset + span.length)]));
      const found = openBlock({ parameters, used, addends: 5, total: accumulator.total(), shares: blockShares });
      failedRelations.push(...found.failedRelations);
      opened.set(found.coefficients!, block * 1024);
    }
    expect(opened).toEqual(expected);
    expect(judgeParity({ parameters, holders: [...shares.keys()], failedRelations })).toEqual({ consistent: true });
  });
});

describe('sums of planes', () => {
  it.each([1, 7, 31, 32, 47, 62, 64, 76, 95, 127, 180])(
    'are those of the integers at %i bits, also past the room of a lane',
    (keptBits) => {
      const parameters: AggregationParameters = { ...five.parameters, sites: 600, keptBits, droppedBits: 180 - keptBits };
      const { modulus } = parameterSet(parameters.set);
      const stream = xof('planes', keptBits);
      const largest = (modulus - 1n) >> BigInt(parameters.droppedBits);
      for (const used of [1, 6, 8, 33]) {
        const vectors = Array.from({ length: 5 }, (_, i) =>
          Array.from({ length: used }, () => (i === 0 ? largest : stream.uniformBelow(largest + 1n))),
        );
        const blocks = vectors.map((vector) => blockOf(vector, keptBits));
        const accumulator = ciphertextAccumulator(used, parameters);
        // What a sum before it left must not be in it, and its total not be overwritten by this one's.
        for (let addend = 0; addend < 7; addend++) accumulator.add(blocks[0]!);
        const earlier = accumulator.total();
        const copy = earlier.slice();
        accumulator.clear();
        const sums = Array.from({ length: used }, () => 0n);
        for (let addend = 0; addend < 600; addend++) {
          const which = addend % 3 === 0 ? 0 : addend % 5;
          // Every second one from an odd place in memory.
          const block = new Uint8Array(blocks[which]!.length + 1);
          block.set(blocks[which]!, addend % 2);
          accumulator.add(block.subarray(addend % 2, (addend % 2) + blocks[which]!.length));
          vectors[which]!.forEach((value, index) => (sums[index]! += value));
        }
        const correction = keptBits === 180 ? 0n : 600n << BigInt(parameters.droppedBits - 1);
        const expected = sums.map((sum) => ((sum << BigInt(parameters.droppedBits)) + correction) % modulus);
        expect(integersOf(accumulator.total())).toEqual(expected);
        expect(earlier).toEqual(copy);
        expect(integersOf(accumulator.total(earlier))).toEqual(expected);
        expect(integersOf(earlier)).toEqual(expected);
        expect(() => accumulator.total(new BigUint64Array(used))).toThrow(coded('out-of-range'));
        accumulator.clear();
        expect(accumulator.addends).toBe(0);
        expect(() => accumulator.total()).toThrow(coded('out-of-range'));
      }
    },
  );
});
