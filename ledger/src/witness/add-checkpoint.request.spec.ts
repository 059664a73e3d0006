import { describe, expect, it } from 'vitest';
import { formatAddCheckpoint, parseAddCheckpoint } from './index.js';
import { ForkableLog } from './forked-log.fixture.js';

const log = ForkableLog.counting(20);
const note = log.checkpoint();
const hash = Buffer.alloc(32, 5).toString('base64');
const parse = (text: string) => parseAddCheckpoint(Buffer.from(text));

describe('an add-checkpoint request', () => {
  it.each([
    ['nothing', ''],
    ['no empty line', `old 5\n${hash}\n`],
    ['no old size', `\n${note}`],
    ['only a size', `20\n\n${note}`],
    ['a sign', `old -5\n\n${note}`],
    ['a leading zero', `old 05\n\n${note}`],
    ['two spaces', `old  5\n\n${note}`],
    ['a carriage return', `old 5\r\n\r\n\n\n${note}`],
    ['a size of 2^64', `old 18446744073709551616\n\n${note}`],
    ['a short hash', `old 5\n${Buffer.alloc(31).toString('base64')}\n\n${note}`],
    ['a hash in hex', `old 5\n${'5'.repeat(64)}\n\n${note}`],
    ['64 hashes', `old 5\n${`${hash}\n`.repeat(64)}\n${note}`],
  ])('with %s is refused', (_, text) => {
    expect(() => parse(text)).toThrow('not an add-checkpoint request');
  });

  it('that is not UTF-8 is refused', () => {
    expect(() => parseAddCheckpoint(Uint8Array.of(0xff, 0x0a, 0x0a))).toThrow('UTF-8');
  });

  it('is read as it was written, with 0 to 63 hashes', () => {
    for (const count of [0, 1, 63]) {
      const request = { oldSize: BigInt(count), proof: Array.from({ length: count }, () => new Uint8Array(32).fill(count)), note };
      expect(parse(formatAddCheckpoint(request))).toEqual(request);
    }
    expect(formatAddCheckpoint({ oldSize: 7n, proof: [new Uint8Array(Buffer.from(hash, 'base64'))], note })).toBe(
      `old 7\n${hash}\n\n${note}`,
    );
  });
});
