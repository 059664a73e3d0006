import { describe, expect, it } from 'vitest';
import { leavesOf } from '../tiles/index.js';
import { entryDifferences } from './entry.difference.js';

const hashes = (...names: string[]) => leavesOf(names.map((name) => Buffer.from(name)));
const logged = hashes('a', 'b', 'c', 'd', 'e');

describe('what was done to the entries of a bundle', () => {
  it.each([
    ['nothing', hashes('a', 'b', 'c', 'd', 'e'), []],
    ['one changed', hashes('a', 'X', 'c', 'd', 'e'), [{ index: 101, is: 'changed' }]],
    [
      'two changed',
      hashes('X', 'b', 'c', 'd', 'Y'),
      [
        { index: 100, is: 'changed' },
        { index: 104, is: 'changed' },
      ],
    ],
    [
      'two swapped',
      hashes('a', 'd', 'c', 'b', 'e'),
      [
        { index: 101, is: 'moved', from: 103 },
        { index: 103, is: 'moved', from: 101 },
      ],
    ],
    ['one removed', hashes('a', 'c', 'd', 'e'), [{ index: 101, is: 'missing' }]],
    ['one removed, and another one at the end', hashes('a', 'c', 'd', 'e', 'f'), [{ index: 101, is: 'missing' }]],
    ['the last removed', hashes('a', 'b', 'c', 'd'), [{ index: 104, is: 'missing' }]],
    ['one inserted', hashes('a', 'X', 'b', 'c', 'd', 'e'), [{ index: 101, is: 'inserted' }]],
    ['one doubled', hashes('a', 'b', 'b', 'c', 'd', 'e'), [{ index: 102, is: 'doubled' }]],
    ['one put in the place of another', hashes('a', 'c', 'c', 'd', 'e'), [{ index: 101, is: 'moved', from: 102 }]],
    ['one added at the end', hashes('a', 'b', 'c', 'd', 'e', 'X'), [{ index: 105, is: 'changed' }]],
  ])('is told: %s', (_, leaves, expected) => expect(entryDifferences(leaves, logged, 100, 10)).toEqual(expected));

  it('is told of so many entries as were asked for', () => {
    expect(entryDifferences(hashes('v', 'w', 'x', 'y', 'z'), logged, 0, 2)).toHaveLength(2);
  });
});
