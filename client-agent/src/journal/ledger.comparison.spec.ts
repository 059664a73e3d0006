import { expect, it, describe } from 'vitest';
import { compareActs } from './ledger.comparison.js';
import type { RecordEntry, RecordFact } from './record.entry.js';

const D = (digit: string) => digit.repeat(64);
const run = 'r1-0123456789abcdef';
const signed = (digit: string, name = 'contribution'): RecordFact => ({
  kind: 'signed',
  run,
  name,
  subject: digit,
  digest: D(digit),
  envelope: D('0'),
});
const sending = (row: number, digit: string): RecordFact => ({
  kind: 'sending',
  row,
  run,
  name: 'contribution',
  bytes: 1,
  digest: D(digit),
});
const answered = (row: number, outcome = 'accepted'): RecordFact => ({ kind: 'answered', row, outcome });
const logged = (index: number, digit: string) => ({ index, digest: D(digit), said: 'share' });
const recordOf = (...facts: RecordFact[]) =>
  facts.map((fact, index): RecordEntry => ({ schema: 1, seq: index + 1, time: 0, previous: D('0'), ...fact }));

const three = recordOf(
  signed('1'),
  sending(1, '1'),
  answered(1),
  signed('2'),
  sending(2, '2'),
  answered(2),
  signed('3'),
  sending(3, '3'),
  answered(3),
);

describe('a ledger beside the record of a site', () => {
  it('agrees when every act is in both', () => {
    expect(compareActs(three, [logged(4, '1'), logged(7, '2'), logged(9, '3')])).toMatchObject({ findings: [], notes: [] });
  });

  it('has an act that the record does not know', () => {
    expect(compareActs(three, [logged(4, '1'), logged(5, '9')]).findings).toEqual([
      { where: 'entry 5 of the ledger', problem: expect.stringMatching(/does not know it \(share\)/) as string },
    ]);
  });

  it('lacks an act that the coordinator has accepted, though it has later ones', () => {
    expect(compareActs(three, [logged(4, '1'), logged(9, '3')]).findings).toEqual([
      { where: 'entry 4 of the record', problem: expect.stringMatching(/accepted this contribution/) as string },
    ]);
  });

  it('is only older than the record when it lacks the last acts', () => {
    expect(compareActs(three, [logged(4, '1')])).toMatchObject({ findings: [], notes: [expect.stringMatching(/^2 accepted acts/)] });
  });

  it('says nothing about what was refused or never answered, is not logged, or is known to be forgotten', () => {
    const others = recordOf(
      signed('4'),
      sending(1, '4'),
      answered(1, 'not-owed'),
      signed('5'),
      sending(2, '5'),
      signed('6', 'attempt-declined'),
      sending(3, '6'),
      answered(3),
      signed('7'),
      sending(4, '7'),
      answered(4),
      { kind: 'act-forgotten', run, digest: D('8'), name: 'share', epoch: 1, e: null, sumKind: null, sum: null },
    );
    expect(compareActs(others, [logged(1, '8'), logged(2, '7')])).toMatchObject({ findings: [], notes: [] });
    // Unanswered, it may have arrived all the same.
    expect(compareActs(others, [logged(1, '5'), logged(2, '7')]).findings).toEqual([]);
  });
});
