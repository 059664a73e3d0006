import { describe, expect, it } from 'vitest';
import type { Recorded } from '../verify/index.js';
import { LedgerRecord } from './run.record.js';
import { chooseSums, type SumChoice } from './sum.choice.js';

const digest = 'a'.repeat(64);
const FIRST = 'r1-0000000000000000';
const SECOND = 'r2-0000000000000000';

/** Two runs of one training round each; the second has an evaluation too. */
const record = new LedgerRecord();
let index = 0;
const add = (name: string, predicate: object) =>
  record.add({ index: index++, name, digest: `${digest}${index}`, predicate } as unknown as Recorded);
for (const run of [FIRST, SECOND]) add('run-opened', { run });
for (const [run, sum, round] of [
  [FIRST, 1, 0],
  [FIRST, 2, 1],
  [SECOND, 1, 0],
  [SECOND, 2, 1],
  [SECOND, 3, 1],
] as const)
  add('aggregate', { run, sum, round });

const chosen = (choice: SumChoice) => chooseSums(record, choice).map((run) => [run.record.opened.predicate.run, ...run.chosen]);

describe('a choice of sums', () => {
  it('is every one of every run, or of one', () => {
    expect(chosen({ of: 'all' })).toEqual([
      [FIRST, 1, 2],
      [SECOND, 1, 2, 3],
    ]);
    expect(chosen({ of: 'all', run: SECOND })).toEqual([[SECOND, 1, 2, 3]]);
  });

  it('is those of one round, training and evaluation', () => {
    expect(chosen({ of: 'round', round: 1, run: SECOND })).toEqual([[SECOND, 2, 3]]);
  });

  it('needs no run where only one has such a sum', () => {
    expect(chosen({ of: 'sum', sum: 3 })).toEqual([[SECOND, 3]]);
  });

  it.each<[SumChoice, string]>([
    [{ of: 'round', round: 1 }, `${FIRST}, ${SECOND} have sums of round 1; say which with --run`],
    [{ of: 'sum', sum: 3, run: FIRST }, `the ledger has no published sum with the number 3 of ${FIRST}`],
    [{ of: 'all', run: 'r3-0000000000000000' }, `the ledger has no run "r3-0000000000000000"; it has ${FIRST}, ${SECOND}`],
  ])('is refused where it is none: %j', (choice, message) => {
    expect(() => chosen(choice)).toThrow(message);
  });

  it('of a ledger without runs is refused', () => {
    expect(() => chooseSums(new LedgerRecord(), { of: 'all' })).toThrow('the ledger has no published sum at all');
  });
});
