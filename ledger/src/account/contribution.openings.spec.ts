import { type CommitmentOpening, commitmentOf, openingOf } from '@coferment/consortium';
import { digest, hash } from '@coferment/crypto';
import { describe, expect, it } from 'vitest';
import { parseOpenings } from './contribution.openings.js';
import { StatementStream, accountOf, update } from './statement.stream.fixture.js';

const contribution = digest('some contribution');
const salt = hash('salt of a contribution');
const samples = openingOf('samples', salt, 240);
const file = (value: unknown) => JSON.stringify(value);

describe('a file of openings', () => {
  it.each([
    ['nothing', ''],
    ['no JSON', '{'],
    ['null', 'null'],
    ['a bare opening', file(samples)],
    ['a contribution that is no digest', file({ contribution: 'x', openings: [samples] })],
    ['no opening', file({ contribution, openings: [] })],
    ['a field that is not known', file({ contribution, openings: [samples], site: 'alpha' })],
    ['a fact that is not known', file({ contribution, openings: [{ ...samples, fact: 'profit' }] })],
    ['a negative count', file({ contribution, openings: [{ ...samples, value: -1 }] })],
    ['half a batch', file({ contribution, openings: [{ ...samples, value: 1.5 }] })],
    ['a key in capitals', file({ contribution, openings: [{ ...samples, key: samples.key.toUpperCase() }] })],
    ['the salt where the key belongs', file({ contribution, openings: [{ fact: 'samples', salt: samples.key, value: 240 }] })],
  ])('is refused: %s', (_, text) => {
    expect(() => parseOpenings(text)).toThrow(expect.objectContaining({ code: 'malformed-opening' }));
  });

  it('holds the openings of one contribution or of several', () => {
    const one = { contribution, openings: [samples] };
    expect(parseOpenings(file(one))).toEqual([one]);
    expect(parseOpenings(file([one, one]))).toEqual([one, one]);
  });
});

describe('an opening', () => {
  const report = openingOf('data-report', salt, digest('report'));
  const stream = new StatementStream();
  stream.found(['alpha']);
  const place = update(1, 1);
  const committed = { sampleCommitment: commitmentOf(samples), dataReportCommitment: commitmentOf(report) };
  const signed = stream.upload(place, 'alpha', committed);
  stream.freeze(place, ['alpha']);
  stream.open(place, { certificate: [], shares: [] });
  const withOpening = (opening: CommitmentOpening, of = signed) =>
    accountOf(stream.statements, [{ contribution: of, openings: [opening] }]);

  it('shows the number that its site has committed to', () => {
    const account = withOpening(samples);
    expect(account.openings).toEqual({ verified: 1, problems: [] });
    expect(account.runs[0]!.sums[0]!.counted[0]!.opened).toEqual({ samples: 240 });
    expect(account.runs[0]!.contributions[0]!.data).toMatchObject({
      committed: 1,
      samples: { opened: 1, smallest: 240, largest: 240 },
      batches: { opened: 0, smallest: undefined },
    });
    expect(withOpening(report).runs[0]!.contributions[0]!.data.dataReports).toEqual({ opened: 1, changes: 0 });
  });

  it.each<[string, CommitmentOpening, string?]>([
    ['another number', { ...samples, value: 241 }],
    ['another key', { ...samples, key: digest('other') }],
    ['the number of samples as one of batches', { ...samples, fact: 'batches' }],
    ['a number as text', { ...samples, value: digest('240') }],
    ['a contribution that is not in the ledger', samples, contribution],
  ])('that does not open is told and shows nothing: %s', (_, opening, of) => {
    const account = withOpening(opening, of);
    expect(account.openings.verified).toBe(0);
    expect(account.openings.problems).toHaveLength(1);
    expect(account.runs[0]!.contributions[0]!.data.samples.opened).toBe(0);
  });
});
