import { describe, expect, it } from 'vitest';
import { StatementStream, accountOf, inRun, inSum, modelAfter, rootOf, troubledRun, update } from './statement.stream.fixture.js';
import type { Recorded } from '../verify/index.js';
import { SumBook } from './sum.book.js';

const runOf = (statements: readonly Recorded[]) => accountOf(statements).runs[0]!;
const siteOf = (statements: readonly Recorded[], site: string) => runOf(statements).contributions.find((entry) => entry.site === site)!;

describe('an account of a ledger that breaks the rules', () => {
  const stream = () => {
    const made = new StatementStream();
    made.found(['alpha', 'bravo', 'charlie']);
    made.keyEpoch(1, ['alpha', 'bravo', 'charlie'], ['alpha']);
    return made;
  };

  it('is empty for nothing', () => {
    expect(accountOf([])).toMatchObject({ consortium: undefined, charter: undefined, sites: [], plans: [], runs: [] });
  });

  it('leaves out acts of a run that was never opened', () => {
    const made = new StatementStream();
    made.upload(update(1, 1), 'alpha');
    made.freeze(update(1, 1), ['alpha']);
    expect(accountOf(made.statements).runs).toEqual([]);
  });

  it('counts nobody on the word of the operator alone', () => {
    const made = stream();
    made.upload(update(1, 1), 'alpha');
    // The very bytes that are named, signed for another attempt.
    made.upload(update(1, 1, 2), 'bravo', { merkleRoot: rootOf(update(1, 1), 'bravo') });
    made.freeze(update(1, 1), ['alpha', 'bravo'], []);
    made.open(update(1, 1), { certificate: [], shares: [] });
    expect(runOf(made.statements).sums[0]).toMatchObject({ counted: [{ site: 'alpha' }], unproven: ['bravo'] });
    expect(siteOf(made.statements, 'bravo').rounds).toMatchObject({ counted: 0, unproven: 1 });
    expect(siteOf(made.statements, 'charlie').rounds).toMatchObject({ unnamed: 1 });
  });

  it('counts a site once, however often the set names it', () => {
    const made = stream();
    made.upload(update(1, 1), 'alpha');
    made.freeze(update(1, 1), ['alpha', 'alpha']);
    made.open(update(1, 1), { certificate: [], shares: [] });
    expect(siteOf(made.statements, 'alpha')).toMatchObject({ rounds: { counted: 1 }, attempts: { takenPart: 1, counted: 1 } });
  });

  it('does not take an opening of another set for one of the frozen set', () => {
    const made = stream();
    for (const site of ['alpha', 'bravo', 'charlie']) made.upload(update(1, 1), site);
    made.freeze(update(1, 1), ['alpha', 'bravo', 'charlie']);
    made.open(update(1, 1, 2), { certificate: [], shares: [] });
    expect(runOf(made.statements)).toMatchObject({ rounds: 0, sums: [{ outcome: 'frozen', openedIn: undefined }] });
  });

  it('keeps to the first freeze and the first closing', () => {
    const made = stream();
    for (const site of ['alpha', 'bravo', 'charlie']) made.upload(update(1, 1), site);
    made.freeze(update(1, 1), ['alpha', 'bravo', 'charlie']);
    made.freeze(update(1, 1), ['alpha']);
    made.open(update(1, 1), { certificate: [], shares: [] });
    made.say('run-closed', { ...inRun, status: 'completed', rounds: 2, model: modelAfter(1), contributions: [] });
    made.say('run-closed', { ...inRun, status: 'failed', rounds: 1, model: modelAfter(1), contributions: [] });
    expect(runOf(made.statements)).toMatchObject({ rounds: 1, status: 'completed', closing: { rounds: 2, agrees: false } });
    expect(siteOf(made.statements, 'charlie').rounds.counted).toBe(1);
  });

  it('counts every opened sum, also where the operator gives two of them one round number', () => {
    const made = stream();
    for (const sum of [1, 2]) {
      made.upload(update(sum, 1), 'alpha');
      made.freeze(update(sum, 1), ['alpha']);
      made.open(update(sum, 1), { certificate: [], shares: [] });
    }
    expect(siteOf(made.statements, 'alpha').rounds.counted).toBe(2);
  });

  it('counts no share or attestation that the opened sum does not name, and none that it names and nobody signed', () => {
    const made = stream();
    made.upload(update(1, 1), 'alpha');
    made.freeze(update(1, 1), ['alpha']);
    const [share] = [made.share(update(1, 1), 'alpha'), made.attest(update(1, 1), 'alpha')];
    made.open(update(1, 1), { certificate: [{ site: 'bravo', attestation: share }], shares: [{ site: 'bravo', share }] });
    expect(siteOf(made.statements, 'alpha')).toMatchObject({
      shares: { used: 0, unused: 1 },
      attestations: { signed: 1, named: 0 },
    });
    expect(siteOf(made.statements, 'bravo')).toMatchObject({ shares: { used: 0, unused: 0 }, attestations: { signed: 0, named: 0 } });
  });

  it('keeps a sum apart from what one site signs of another kind or E under its number, whatever comes first', () => {
    const made = stream();
    const confirm = { ...update(1, 0), kind: 'confirm' as const };
    made.upload(confirm, 'bravo');
    made.attest({ ...update(1, 1), epoch: 9 }, 'bravo');
    made.share({ ...update(1, 1), epoch: 9 }, 'bravo');
    made.upload(update(1, 1), 'alpha');
    made.freeze(update(1, 1), ['alpha']);
    made.open(update(1, 1), { certificate: [], shares: [] });
    expect(runOf(made.statements).sums).toMatchObject([{ sum: 1, kind: 'update', outcome: 'opened', counted: [{ site: 'alpha' }] }]);
    expect(siteOf(made.statements, 'bravo')).toMatchObject({
      attempts: { takenPart: 0 },
      shares: { notOpened: 0 },
      attestations: { signed: 0 },
    });
  });

  it('goes by what the operator gave up where nothing was frozen', () => {
    const made = stream();
    made.upload({ ...update(1, 0), kind: 'confirm' }, 'bravo');
    made.say('round-abandoned', { ...inSum(update(1, 1)), round: 1, attempt: 1, reason: 'Too few.', excluded: [] });
    expect(runOf(made.statements).sums).toMatchObject([{ sum: 1, kind: 'update', round: 1, outcome: 'abandoned' }]);
  });

  it('tells the last of very many attempts', () => {
    const book = new SumBook(1, 'update', modelAfter(1));
    const upload = { site: 'alpha', k: '', merkleRoot: '', backend: 'none' };
    for (let attempt = 1; attempt <= 200_000; attempt++)
      book.upload({ digest: '', predicate: { ...upload, attempt } } as Recorded<'contribution'>, {});
    expect(book.record(undefined)).toMatchObject({ attempt: 200_000, outcome: 'collecting' });
  });

  it('makes no sum out of a number that a site wrote into an attestation', () => {
    const made = stream();
    made.attest(update(77, 1), 'alpha');
    expect(runOf(made.statements).sums).toEqual([]);
  });

  it('finds an upload that stands in the log after the freeze that names it', () => {
    const made = stream();
    made.freeze(update(1, 1), ['alpha']);
    made.open(update(1, 1), { certificate: [], shares: [] });
    made.upload(update(1, 1), 'alpha');
    expect(siteOf(made.statements, 'alpha').rounds.counted).toBe(1);
  });
});

describe('an account of a run in which much goes wrong', () => {
  const { statements } = troubledRun();
  const run = runOf(statements);

  it('says of each round how it ended, in which attempt, and what it went on as', () => {
    const sums = run.sums.map(({ sum, round, attempt, epoch, outcome, continuedAs }) => ({
      sum,
      round,
      attempt,
      epoch,
      outcome,
      continuedAs,
    }));
    expect(sums).toEqual([
      { sum: 1, round: 1, attempt: 1, epoch: 1, outcome: 'opened', continuedAs: undefined },
      { sum: 2, round: 2, attempt: 2, epoch: 1, outcome: 'garbled', continuedAs: 3 },
      { sum: 3, round: 2, attempt: 1, epoch: 2, outcome: 'opened', continuedAs: undefined },
      { sum: 4, round: 3, attempt: 1, epoch: undefined, outcome: 'abandoned', continuedAs: undefined },
    ]);
    expect(run.sums[1]!.troubles).toMatchObject([{ what: 'garbled', reason: 'parity', named: ['alpha'] }]);
    expect(run).toMatchObject({ status: 'failed', rounds: 2, decidedRounds: 3, closing: { rounds: 2, agrees: true } });
  });

  it.each([
    ['alpha', { counted: 1, 'left-out': 2 }, { takenPart: 3, counted: 1, notCounted: 2 }],
    ['bravo', { counted: 2, 'not-opened': 1 }, { takenPart: 4, counted: 2, notCounted: 2 }],
    ['charlie', { counted: 2, absent: 1 }, { takenPart: 3, counted: 2, notCounted: 1 }],
    ['delta', { counted: 1, late: 1, refused: 1 }, { takenPart: 2, counted: 1, notCounted: 1 }],
    ['echo', { counted: 1, dropped: 1, 'not-opened': 1 }, { takenPart: 2, counted: 1, notCounted: 1 }],
  ])('says where %s stood in each round', (site, rounds, attempts) => {
    const account = siteOf(statements, site);
    expect(Object.fromEntries(Object.entries(account.rounds).filter(([, count]) => count > 0))).toEqual(rounds);
    expect(account.attempts).toEqual(attempts);
  });

  it('names the rounds that a site was not counted in', () => {
    expect(siteOf(statements, 'delta').notCounted).toEqual([
      { round: 1, sum: 1, standing: 'late' },
      { round: 3, sum: 4, standing: 'refused' },
    ]);
  });

  it('tells what key holders did, and which of it was used', () => {
    expect(siteOf(statements, 'alpha').shares).toEqual({ used: 1, unused: 0, notOpened: 1 });
    expect(siteOf(statements, 'charlie').shares).toEqual({ used: 1, unused: 1, notOpened: 0 });
    expect(siteOf(statements, 'alpha')).toMatchObject({ attestations: { signed: 1, named: 1 }, dealings: { dealt: 1 } });
    expect(siteOf(statements, 'bravo').dealings.dealt).toBe(2);
  });

  it('names the key epochs, who was left out, and who came from a backup', () => {
    expect(run.epochs).toMatchObject([
      { epoch: 1, leftOut: [], left: [{ site: 'alpha', reason: 'restored' }] },
      { epoch: 2, leftOut: ['alpha'], reason: 'A holder lied.', left: [] },
    ]);
  });
});

describe('members and plans', () => {
  it('follows a site that leaves, comes again and gets another witness key', () => {
    const stream = new StatementStream();
    stream.found(['alpha', 'bravo']);
    const { consortium } = inRun;
    stream.say('witness-key', { consortium, site: 'alpha', key: modelAfter(7) });
    stream.say('site-left', { consortium, site: 'alpha', reason: 'We are closing.' });
    expect(accountOf(stream.statements).sites[0]).toMatchObject({
      membership: 'left',
      endedIn: 6,
      reason: 'We are closing.',
      witnessKey: undefined,
    });
    stream.say('site-enrolled', { consortium, site: 'alpha', identityKey: modelAfter(8), certificate: modelAfter(8) });
    stream.say('site-revoked', { consortium, site: 'bravo', reason: 'A stolen disk.' });
    stream.say('witness-key', { consortium, site: 'alpha', key: modelAfter(9) });
    expect(accountOf(stream.statements).sites).toMatchObject([
      { site: 'alpha', membership: 'enrolled', enrolledIn: [1, 7], endedIn: undefined, witnessKey: modelAfter(9) },
      { site: 'bravo', membership: 'revoked', endedIn: 8 },
    ]);
  });
});

describe('the federated error', () => {
  it('belongs to the round that the digests say, and changes against the one before of the same metric', () => {
    const stream = troubledRun();
    const evaluate = (sum: number, after: number, metric: string, value: number) =>
      stream.say('evaluation', { ...inRun, round: 99, sum, model: modelAfter(after), metric, value, holdoutCount: 12 });
    evaluate(1, 0, 'rmse', 2);
    evaluate(3, 1, 'mae', 4);
    evaluate(3, 1, 'rmse', 1.5);
    evaluate(5, 7, 'rmse', 1);
    expect(runOf(stream.statements).errors).toMatchObject([
      { afterRound: 0, value: 2, change: undefined },
      { afterRound: 1, metric: 'mae', change: undefined },
      { afterRound: 1, value: 1.5, change: -0.5 },
      { afterRound: undefined, value: 1, change: -0.5 },
    ]);
  });
});
