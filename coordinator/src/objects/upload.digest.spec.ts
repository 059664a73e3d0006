import { createHash, randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { UploadDigest } from './upload.digest.js';

const sha = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest();
const bytes = randomBytes(2_500);
const spans = [0, 1, 2].map((block) => ({ offset: block * 1000, length: block === 2 ? 500 : 1000, coefficients: block === 2 ? 50 : 100 }));

describe('the digests of an object that arrives in pieces', () => {
  it.each([1, 7, 999, 1000, 1001, 2_500])('of %i bytes are those of the whole and of its blocks', (size) => {
    const seen: number[] = [];
    const digests = new UploadDigest(spans, (block, coefficients) => seen.push(block.length, coefficients));
    for (let at = 0; at < bytes.length; at += size) digests.update(bytes.subarray(at, at + size));
    const { digest, leaves } = digests.end();
    expect(digest).toBe(sha(bytes).toString('hex'));
    expect(leaves).toEqual(Buffer.concat(spans.map(({ offset, length }) => sha(bytes.subarray(offset, offset + length)))));
    expect(seen).toEqual([1000, 100, 1000, 100, 500, 50]);
  });

  it('have no leaves where there are no blocks', () => {
    const digests = new UploadDigest([]);
    digests.update(bytes);
    expect(digests.end()).toEqual({ digest: sha(bytes).toString('hex'), leaves: Buffer.alloc(0) });
  });

  it('are not made of a block that is refused', () => {
    const digests = new UploadDigest(spans, () => {
      throw new RangeError('no such block');
    });
    digests.update(bytes.subarray(0, 999));
    expect(() => digests.update(bytes.subarray(999))).toThrow('no such block');
  });
});
