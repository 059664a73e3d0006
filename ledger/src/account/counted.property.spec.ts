import { type ExclusionReason, type Predicate, type PredicateName, type Statement, parseStatement } from '@coferment/consortium';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Recorded, verifyExport } from '../verify/index.js';
import { CONSORTIUM, RUN as SAMPLE_RUN, SITES, append, exportSample, operator, sampleLedger } from '../verify/sample-ledger.fixture.js';
import { policy } from '../verify/verification.fixture.js';
import { AccountBook } from './account.book.js';
import { StatementStream, accountOf, inRun, inSum, modelAfter, update } from './statement.stream.fixture.js';

const sites = ['alpha', 'bravo', 'charlie', 'delta', 'echo'];
const holders = sites.slice(0, 3);
type Fate = 'counted' | 'counted-unsigned' | ExclusionReason;

const fate = fc.constantFrom<Fate>(
  'counted',
  'counted',
  'counted',
  'counted-unsigned',
  'late',
  'dropped',
  'refused',
  'absent',
  'set-aside',
);
const roundArbitrary = fc.record({
  fates: fc.tuple(fate, fate, fate, fate, fate),
  attempts: fc.integer({ min: 1, max: 3 }),
  end: fc.constantFrom('opened', 'opened', 'opened', 'abandoned', 'garbled-then-opened', 'frozen'),
  named: fc.subarray(holders),
  after: fc.subarray(holders),
});

/** Every round as drawn, in sums that follow each other. */
function ledgerOf(rounds: readonly (typeof roundArbitrary extends fc.Arbitrary<infer Round> ? Round : never)[]): Recorded[] {
  const stream = new StatementStream();
  stream.found(sites);
  stream.keyEpoch(1, sites, holders);
  let sum = 0;
  for (const [index, { fates, attempts, end, named, after }] of rounds.entries()) {
    const parts = end === 'garbled-then-opened' ? ['garbled', 'opened'] : [end];
    for (const part of parts) {
      sum++;
      for (let attempt = 1; attempt < attempts; attempt++) stream.upload(update(sum, index + 1, attempt), sites[attempt]!);
      const place = update(sum, index + 1, attempts);
      for (const [position, site] of sites.entries())
        if (fates[position] === 'counted' || fates[position] === 'dropped') stream.upload(place, site);
      const counted = sites.filter((_, position) => fates[position]!.startsWith('counted'));
      const excluded = sites.flatMap((site, position) =>
        counted.includes(site) ? [] : [{ site, reason: fates[position] as ExclusionReason }],
      );
      if (part === 'abandoned') {
        stream.say('round-abandoned', { ...inSum(place), round: index + 1, attempt: attempts, reason: 'Too few.', excluded });
        continue;
      }
      stream.freeze(place, counted, excluded);
      const shares = named.map((site) => ({ site, share: stream.share(place, site) }));
      const certificate = counted.map((site) => ({ site, attestation: stream.attest(place, site) }));
      if (part === 'opened') stream.open(place, { certificate, shares });
      if (part === 'garbled') stream.say('round-garbled', { ...inSum(place), round: index + 1, reason: 'parity', named: [] });
      for (const site of after) stream.share(place, site);
    }
  }
  return stream.statements;
}

const of = <N extends PredicateName>(statements: readonly Recorded[], name: N) =>
  statements.filter((statement) => statement.name === name) as unknown as { digest: string; predicate: Predicate<N> }[];

/** The same by the plainest means: for every question the whole ledger is read again. */
function counted(statements: readonly Recorded[], site: string) {
  const frozen = of(statements, 'round-frozen').map(({ predicate }) => predicate);
  const opened = of(statements, 'aggregate').flatMap(({ predicate }) => {
    const freeze = frozen.find(({ sum }) => sum === predicate.sum);
    return freeze === undefined ? [] : [{ freeze, shares: predicate.shares.map(({ share }) => share) }];
  });
  const mine = of(statements, 'contribution').filter(({ predicate }) => predicate.site === site);
  const countedIn = opened.filter(
    ({ freeze }) =>
      freeze.counted.some((entry) => entry.site === site) &&
      mine.some(({ predicate }) => predicate.sum === freeze.sum && predicate.k === freeze.k && predicate.attempt === freeze.attempt),
  );
  const reasons = (reason: ExclusionReason) => {
    const openedRounds = new Set(opened.map(({ freeze }) => freeze.round));
    const lists = [
      ...opened.map(({ freeze }) => freeze.excluded),
      ...frozen.filter(({ round }) => !openedRounds.has(round)).map(({ excluded }) => excluded),
      ...of(statements, 'round-abandoned').map(({ predicate }) => predicate.excluded),
    ];
    return lists.flat().filter((entry) => entry.site === site && entry.reason === reason).length;
  };
  const shares = of(statements, 'share').filter(({ predicate }) => predicate.site === site);
  return {
    counted: countedIn.length,
    late: reasons('late'),
    absent: reasons('absent'),
    setAside: reasons('set-aside'),
    takenPart: new Set(mine.map(({ predicate }) => `${predicate.sum}/${predicate.attempt}`)).size,
    sharesUsed: shares.filter(({ digest: share }) => opened.some(({ shares: named }) => named.includes(share))).length,
    shares: shares.length,
  };
}

describe('an account of any ledger', () => {
  it('is what counting by the plainest means gives, and each round stands at one place for each site', () => {
    fc.assert(
      fc.property(fc.array(roundArbitrary, { maxLength: 6 }), (rounds) => {
        const statements = ledgerOf(rounds);
        const [run] = accountOf(statements).runs;
        for (const { site, rounds: stands, attempts, shares } of run!.contributions) {
          const { used, unused, notOpened } = shares;
          expect({
            counted: stands.counted,
            late: stands.late,
            absent: stands.absent,
            setAside: stands['set-aside'],
            takenPart: attempts.takenPart,
            sharesUsed: used,
            shares: used + unused + notOpened,
          }).toEqual(counted(statements, site));
          expect(Object.values(stands).reduce((total, count) => total + count, 0)).toBe(run!.decidedRounds);
          expect(attempts.counted).toBe(stands.counted);
        }
      }),
      { numRuns: 150 },
    );
  });

  it('does not depend on the order in which the acts of sums stand', () => {
    const acts = new Set<PredicateName>(['contribution', 'round-frozen', 'share', 'attestation', 'aggregate']);
    fc.assert(
      fc.property(fc.array(roundArbitrary, { minLength: 1, maxLength: 4 }), fc.infiniteStream(fc.nat()), (rounds, order) => {
        const statements = ledgerOf(rounds);
        const keys = new Map(statements.map((statement) => [statement, order.next().value as number]));
        const moved = statements.filter(({ name }) => acts.has(name)).toSorted((left, right) => keys.get(left)! - keys.get(right)!);
        const shuffled = [...statements.filter(({ name }) => !acts.has(name)), ...moved];
        expect(accountOf(shuffled).runs[0]!.contributions).toEqual(accountOf(statements).runs[0]!.contributions);
      }),
      { numRuns: 50 },
    );
  });
});

describe('an account of a ledger that holds', () => {
  it.each([
    ['a run as it should be', () => sampleLedger(undefined, 3)],
    ['a run with a second key epoch', () => sampleLedger(undefined, 3, 2)],
    [
      'a run with a round given up at its end',
      () => {
        const ledger = sampleLedger();
        const { predicate } = parseStatement(ledger.payloads[ledger.names.indexOf('round-frozen')]!) as Statement<'round-frozen'>;
        const place = { consortium: CONSORTIUM, run: SAMPLE_RUN, e: predicate.e, kind: 'update' as const, sum: 99 };
        const excluded = SITES.map((site) => ({ site, reason: site === 'alpha' ? ('absent' as const) : ('ready' as const) }));
        append(ledger, 'round-abandoned', { ...place, round: 3, attempt: 1, reason: 'Too few.', excluded }, operator);
        return ledger;
      },
    ],
  ])('agrees with the totals of the verification and with the closing of the run: %s', async (_, make) => {
    const files = await exportSample(make());
    const book = new AccountBook();
    const report = await verifyExport((path) => files.get(path), { policy, onStatement: (statement) => book.follow(statement) });
    expect(report.verdict).toBe('holds');
    const [run] = book.account().runs;
    expect(run!.closing?.agrees).toBe(true);
    expect(report.totals).toEqual([
      {
        run: run!.run,
        rounds: run!.rounds,
        contributions: run!.contributions.map(({ site, rounds }) => ({ site, updates: rounds.counted })),
      },
    ]);
    expect(run!.sites).toEqual(SITES);
    expect(run!.contributions[0]).toMatchObject({ otherSums: { statistics: 1, evaluate: 1 } });
    expect(run!.errors).toMatchObject([{ metric: 'rmse', value: 0.25, afterRound: run!.rounds }]);
  });

  it('does not agree with a closing that counts a site from outside the run', () => {
    const stream = new StatementStream();
    stream.found(sites);
    stream.say('run-closed', {
      ...inRun,
      status: 'completed',
      rounds: 0,
      model: modelAfter(0),
      contributions: [{ site: 'zulu', updates: 1 }],
    });
    expect(accountOf(stream.statements).runs[0]!.closing!.agrees).toBe(false);
  });
});
