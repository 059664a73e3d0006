import { loadCrypto } from '@coferment/crypto';
import { beforeAll, describe, expect, it } from 'vitest';
import { OpenedSum } from './opened-sum.fixture.js';
import { drawBlocks, requireDigest, requireSignedDigests, requireSum } from './spot.check.js';

const unverified = (text: RegExp): Error =>
  expect.objectContaining({ code: 'sum-unverified', message: expect.stringMatching(text) }) as Error;
let sum: OpenedSum;

beforeAll(async () => {
  await loadCrypto();
  sum = new OpenedSum();
});

describe('the draw', () => {
  it('takes every block when there are at most three', () => {
    expect([1, 2, 3].map(drawBlocks)).toEqual([[0], [0, 1], [0, 1, 2]]);
  });

  it('takes three different ones of more, in order, each equally often', () => {
    const counts = new Map<number, number>();
    for (let draw = 0; draw < 6000; draw += 1) {
      const blocks = drawBlocks(6);
      expect(new Set(blocks).size).toBe(3);
      expect(blocks).toEqual(blocks.toSorted((a, b) => a - b));
      for (const block of blocks) counts.set(block, (counts.get(block) ?? 0) + 1);
    }
    // Each is drawn with probability 1/2: 3000 times, with a standard deviation of 39.
    expect([...counts.keys()].toSorted((a, b) => a - b)).toEqual([0, 1, 2, 3, 4, 5]);
    for (const count of counts.values()) expect(Math.abs(count - 3000)).toBeLessThan(6 * 39);
  });

  it('meets a false sum in a tenth of 100 blocks in 27 of 100 cases', () => {
    const draws = 20_000;
    const isFalse = (block: number) => block % 10 === 3;
    const found = Array.from({ length: draws }, () => drawBlocks(100).some(isFalse)).filter(Boolean).length;
    const expected = 1 - (90 * 89 * 88) / (100 * 99 * 98);
    expect(expected).toBeGreaterThan(0.27);
    expect(Math.abs(found / draws - expected)).toBeLessThan(6 * Math.sqrt((expected * (1 - expected)) / draws));
  });
});

describe('a block of an honest sum', () => {
  it.each([0, 1, 2])('%i opens to what was published', (block) => {
    expect(() => requireSum(sum.block(block))).not.toThrow();
    for (const made of [...sum.uploads, ...sum.shares]) expect(() => requireSignedDigests(made, made.digests)).not.toThrow();
  });
});

describe('a block is refused', () => {
  it.each([0, 500, 1023])('when coefficient %i of the published sum is one more', (index) => {
    const block = sum.block(1);
    block.published[index]! += 1n;
    expect(() => requireSum(block)).toThrow(unverified(new RegExp(`coefficient ${index} was published as`)));
  });

  it('when it is the sum over fewer uploads, or over one twice', () => {
    const block = sum.block(0);
    const [a, b, c] = block.uploads as [Uint8Array, Uint8Array, Uint8Array];
    expect(() => requireSum({ ...block, uploads: [a, b, c] })).toThrow(unverified(/do not open/));
    expect(() => requireSum({ ...block, uploads: [a, b, c, c] })).toThrow(unverified(/do not open/));
  });

  it('when an upload block is swapped for another block of the same upload', () => {
    const block = sum.block(0);
    const uploads = [sum.block(1).uploads[0]!, ...block.uploads.slice(1)];
    expect(() => requireSum({ ...block, uploads })).toThrow(unverified(/do not open/));
    const [upload] = sum.uploads;
    expect(() => requireDigest(upload!, upload!.digests[0]!, uploads[0]!)).toThrow(unverified(/the upload of "a"/));
    expect(() => requireDigest(upload!, upload!.digests[1]!, uploads[0]!)).not.toThrow();
  });

  it('when a share is replaced', () => {
    const block = sum.block(2);
    const shares = new Map([...block.shares, [1, sum.block(2).shares.get(0)!]]);
    expect(() => requireSum({ ...block, shares })).toThrow(unverified(/parity/));
    const [, share] = sum.shares;
    expect(() => requireDigest(share!, share!.digests[2]!, shares.get(1)!)).toThrow(unverified(/the decryption share of "b"/));
  });

  it('when too few shares are there, or one is cut short', () => {
    const block = sum.block(0);
    const two = new Map([...block.shares].slice(0, 2));
    expect(() => requireSum({ ...block, shares: two })).toThrow(expect.objectContaining({ code: 'out-of-range' }));
    const short = new Map([...block.shares, [3, block.shares.get(3)!.subarray(8)]]);
    expect(() => requireSum({ ...block, shares: short })).toThrow(expect.objectContaining({ code: 'malformed' }));
  });
});

describe('a list of block digests is refused', () => {
  it('when it has another length, order or content than was signed for', () => {
    const [upload] = sum.uploads;
    const [first, second, third] = upload!.digests as [Uint8Array, Uint8Array, Uint8Array];
    const refused: [RegExp, Uint8Array[]][] = [
      [/has 2 block digests; its site signed for 3/, [first, second]],
      [/has 4 block digests/, [first, second, third, third]],
      [/have the Merkle root/, [second, first, third]],
      [/have the Merkle root/, [first, second, sum.uploads[1]!.digests[2]!]],
    ];
    for (const [text, digests] of refused) expect(() => requireSignedDigests(upload!, digests)).toThrow(unverified(text));
  });
});
