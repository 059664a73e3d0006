import { describe, expect, it } from 'vitest';
import { blockOf } from '../combination/block.integers.fixture.js';
import { xof } from '../hashing/stream.xof.js';
import { parameterSet } from '../ring/parameter.set.js';
import { splitPlanes } from './bit.planes.js';
import { PlanarRange } from './planar.range.js';
import { largestTruncated } from './residue.range.js';

const everyBits = Array.from({ length: 180 }, (_, index) => index + 1);

describe.each(['STANDARD', 'INSECURE_TEST_1024'] as const)('the range of truncated coefficients of %s', (name) => {
  const set = parameterSet(name);

  it.each(everyBits)('is that of the integers at %i bits', (bits) => {
    const largest = largestTruncated(set, 180 - bits);
    const range = new PlanarRange(largest, bits);
    const stream = xof('planar range', name, bits);
    const all = 1n << BigInt(bits);
    // Around the limit, and values that agree with it in all bits but one.
    const near = [
      ...[-2n, -1n, 0n, 1n, 2n].map((step) => largest + step),
      ...Array.from({ length: bits }, (_, bit) => largest ^ (1n << BigInt(bit))),
      all - 1n,
    ].filter((value) => value >= 0n && value < all);
    const places = [
      [1, 0],
      [9, 4],
      [32, 31],
    ] as const;
    for (const [turn, value] of near.entries()) {
      const [used, at] = places[turn % 3]!;
      const values = Array.from({ length: used }, (_, index) => (index === at ? value : stream.uniformBelow(largest + 1n)));
      const block = blockOf(values, bits);
      // Every second one from an odd place in memory.
      const bytes = new Uint8Array(block.length + 1).subarray(turn % 2, (turn % 2) + block.length);
      bytes.set(block);
      expect(range.firstBeyond(splitPlanes(bytes, used, bits, 'A block'))).toBe(value > largest ? at : -1);
    }
  });
});
