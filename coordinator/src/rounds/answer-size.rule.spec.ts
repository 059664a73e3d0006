import { Instruction } from '@coferment/proto';
import { describe, expect, it } from 'vitest';
import { withinOneAnswer } from './answer-size.rule.js';

const owed = (run: string, epoch: number): Instruction => ({ kind: { $case: 'deal', deal: { run, epoch } } });
const bytes = Instruction.encode(owed('a', 1)).finish().length;
const [a1, a2, a3, b1, b2] = [owed('a', 1), owed('a', 2), owed('a', 3), owed('b', 1), owed('b', 2)];

describe('what of the owed is told in one answer', () => {
  it('is everything, run by run, where it fits', () => {
    expect(withinOneAnswer([[a1, a2], [], [b1, b2]])).toEqual([a1, a2, b1, b2]);
    expect(withinOneAnswer([])).toEqual([]);
    expect(withinOneAnswer([[]])).toEqual([]);
  });

  it('is the beginning of each run where it does not, and runs take turns', () => {
    expect(
      withinOneAnswer(
        [
          [a1, a2, a3],
          [b1, b2],
        ],
        3 * bytes,
      ),
    ).toEqual([a1, a2, b1]);
    expect(
      withinOneAnswer(
        [
          [a1, a2, a3],
          [b1, b2],
        ],
        4 * bytes,
      ),
    ).toEqual([a1, a2, b1, b2]);
  });

  it('leaves out no run for another one whose instruction does not fit beside the first', () => {
    const large = owed('b'.repeat(2 * bytes), 1);
    expect(withinOneAnswer([[a1, a2], [large, b2], [b1]], 3 * bytes)).toEqual([a1, a2, b1]);
  });

  it('is never nothing: the first instruction is told, however large', () => {
    expect(withinOneAnswer([[a1, a2], [b1]], 1)).toEqual([a1]);
    expect(withinOneAnswer([[], [b1, b2]], 1)).toEqual([b1]);
  });
});
