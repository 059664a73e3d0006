import { digest } from '@coferment/crypto';
import { describe, expect, it } from 'vitest';
import { AccountBook } from '../account/index.js';
import type { CheckId } from './index.js';
import { LyingLog } from './lying-log.fixture.js';
import { CONSORTIUM, RUN, SITES, append, identityOf, modelAfter, sampleLedger } from './sample-ledger.fixture.js';
import { failing, other, policy, problems, verifyFiles } from './verification.fixture.js';

const honest = (renewedIn = 0) => new LyingLog(sampleLedger(undefined, 2, renewedIn));
const freezeOf = (log: LyingLog, sum: number) => log.find('round-frozen', (frozen) => frozen.sum === sum);
const verified = async (log: LyingLog) => verifyFiles(await log.files(), { policy });

/** What the operator says when it gives up a sum, which in the sample are 7 for round 2 and 9 for a third one. */
function abandonment(log: LyingLog, sum: number) {
  const { e } = log.predicate('round-frozen', freezeOf(log, 7));
  return {
    consortium: CONSORTIUM,
    run: RUN,
    e,
    kind: 'update' as const,
    sum,
    round: sum === 7 ? 2 : 3,
    attempt: 1,
    reason: 'x',
    excluded: SITES.map((site) => ({ site, reason: 'ready' as const, detail: 'nonce in time' })),
  };
}

function garbled(log: LyingLog, sum: number) {
  const { e, kind, round } = log.predicate('round-frozen', freezeOf(log, sum));
  return { consortium: CONSORTIUM, run: RUN, e, kind, sum, round, reason: 'parity' as const, named: [] };
}

/** Puts an upload of a site that was not counted in round 2 before all others of that round. */
function early(log: LyingLog, change: { kind?: 'confirm'; e?: string; k?: string }): number {
  const first = log.find('contribution', ({ sum }) => sum === 7);
  const upload = log.predicate('contribution', first);
  append(log, 'contribution', { ...upload, site: 'delta', merkleRoot: digest('fixture', 'd'), ...change }, identityOf('delta'));
  log.move(log.entries.length - 1, first);
  return first;
}

const exclude = (log: LyingLog, site: string) =>
  log.rewrite('round-frozen', freezeOf(log, 7), ({ excluded }) => ({ excluded: [...excluded, { site, reason: 'refused' as const }] }));

/** name, what the log does, the check that finds it, and a part of what that says. */
type Lie = [string, (log: LyingLog) => void, CheckId, string];

describe('what the operator says of one sum', () => {
  const lies: Lie[] = [
    [
      'hides an upload in time behind an abandonment',
      (log) => log.insert(early(log, {}) + 1, 'round-abandoned', abandonment(log, 7)),
      'counted-sets',
      `sum 7 of run "${RUN}" was abandoned before`,
    ],
    [
      'abandons what was frozen',
      (log) => log.insert(freezeOf(log, 7) + 1, 'round-abandoned', abandonment(log, 7)),
      'counted-sets',
      'was frozen before; a freeze is final',
    ],
    [
      'abandons in no key epoch',
      (log) => log.insert(log.find('run-closed'), 'round-abandoned', { ...abandonment(log, 9), e: other }),
      'counted-sets',
      'it is in no key epoch of run',
    ],
    [
      'names a stranger in what it abandons',
      (log) =>
        log.insert(log.find('run-closed'), 'round-abandoned', {
          ...abandonment(log, 9),
          excluded: [{ site: 'nobody', reason: 'absent' }],
        }),
      'counted-sets',
      '"nobody" is named with a reason but is not in this key epoch',
    ],
    [
      'is silent about a site of what it abandons',
      (log) =>
        log.insert(log.find('run-closed'), 'round-abandoned', {
          ...abandonment(log, 9),
          excluded: abandonment(log, 9).excluded.filter(({ site }) => site !== 'charlie'),
        }),
      'counted-sets',
      '"charlie" is neither counted nor named with a reason',
    ],
    [
      'names a site of what it abandons with two reasons',
      (log) =>
        log.insert(log.find('run-closed'), 'round-abandoned', {
          ...abandonment(log, 9),
          excluded: [...abandonment(log, 9).excluded, { site: 'alpha', reason: 'late' }],
        }),
      'counted-sets',
      '"alpha" is named with two reasons',
    ],
    [
      'readmits somebody who is in no run',
      (log) => log.insert(log.find('run-closed'), 'site-readmitted', { consortium: CONSORTIUM, run: RUN, site: 'echo', sum: 1 }),
      'runs',
      `"echo" is not a site of a run "${RUN}" that is opened`,
    ],
    [
      'readmits to a run before it is opened',
      (log) => log.insert(log.find('run-opened'), 'site-readmitted', { consortium: CONSORTIUM, run: RUN, site: 'alpha', sum: 1 }),
      'runs',
      `"alpha" is not a site of a run "${RUN}" that is opened`,
    ],
    [
      'garbles a sum of another kind',
      (log) => log.insert(freezeOf(log, 7) + 1, 'round-garbled', { ...garbled(log, 7), kind: 'statistics', round: 0 }),
      'counted-sets',
      'sum 7 is of another kind than statistics, or of another E, in entry',
    ],
    [
      'garbles a sum of another E',
      (log) => log.insert(freezeOf(log, 7) + 1, 'round-garbled', { ...garbled(log, 7), e: other }),
      'counted-sets',
      'or of another E, in entry',
    ],
    [
      'freezes what was stuck as another kind',
      (log) => {
        const { reason: _, named: __, ...stuck } = garbled(log, 7);
        log.insert(freezeOf(log, 7), 'round-stuck', { ...stuck, kind: 'confirm', round: 0, reason: 'x' });
      },
      'counted-sets',
      'sum 7 is of another kind than update',
    ],
    ['excludes a site twice', (log) => exclude(log, 'delta'), 'counted-sets', '"delta" is named with two reasons'],
    [
      'excludes a stranger',
      (log) => exclude(log, 'nobody'),
      'counted-sets',
      '"nobody" is named with a reason but is not in this key epoch',
    ],
    [
      'garbles a sum of another round',
      (log) => log.insert(freezeOf(log, 7) + 1, 'round-garbled', { ...garbled(log, 7), round: 1 }),
      'models',
      'it says round 1 of sum 7; a sum of kind update has round 2 here',
    ],
    [
      'evaluates a sum twice, the first time as it likes',
      (log) => {
        const at = log.find('evaluation');
        log.insert(at, 'evaluation', { ...log.predicate('evaluation', at), value: 0.001, holdoutCount: 9999 });
      },
      'totals',
      'sum 8 has two evaluations of rmse',
    ],
    [
      'evaluates under another round',
      (log) => log.rewrite('evaluation', log.find('evaluation'), () => ({ round: 1 })),
      'totals',
      'it is of round 1, but sum 8 did not start from the model of that round',
    ],
    [
      'evaluates what a training sum has left, in place of what it started from',
      (log) => evaluateUpdate(log, { round: 2 }),
      'totals',
      'it is of round 2, but sum 7 did not start',
    ],
  ];

  it.each(lies)('does not hold where it %s', async (_, lie, id, message) => {
    const log = honest();
    lie(log);
    const report = await verified(log);
    expect(report.verdict).toBe('does-not-hold');
    expect(problems(report, id).join('\n')).toContain(message);
  });

  it.each([
    ['that are swapped', { 6: 2, 7: 1 }],
    ['that are the same twice', { 6: 1, 7: 1 }],
    ['with a gap', { 6: 1, 7: 3 }],
    ['from 0 on', { 6: 0, 7: 1 }],
    ['with an evaluation of another round', { 8: 1 }],
    ['with a confirm sum of a round', { 1: 1 }],
    ['with statistics of a round', { 5: 1 }],
  ] as const)('does not hold with round numbers %s', async (_, rounds: Readonly<Record<number, number>>) => {
    const log = honest();
    for (const name of ['round-frozen', 'aggregate'] as const)
      for (const [sum, round] of Object.entries(rounds)) {
        const at = log.find(name, (predicate) => predicate.sum === Number(sum));
        log.rewrite<'round-frozen' | 'aggregate'>(name, at, () => ({ round }));
      }
    expect(failing(await verified(log))).toContain('models');
  });

  it.each<[string, LyingLog, (log: LyingLog) => void]>([
    [
      'waits again for a site that was set aside',
      honest(),
      (log) => log.insert(log.find('run-closed'), 'site-readmitted', { consortium: CONSORTIUM, run: RUN, site: 'alpha', sum: 1 }),
    ],
    ['gives up a round at the end', honest(), (log) => log.insert(log.find('run-closed'), 'round-abandoned', abandonment(log, 9))],
    [
      'could not open a sum and completes it in the next key epoch',
      honest(2),
      (log) => log.insert(freezeOf(log, 7) + 1, 'round-garbled', garbled(log, 7)),
    ],
    ['tells of a training sum the error of the model that it started from', honest(), (log) => evaluateUpdate(log, {})],
    [
      'evaluates a sum by two metrics',
      honest(),
      (log) => log.insert(log.find('evaluation'), 'evaluation', { ...log.predicate('evaluation', log.find('evaluation')), metric: 'mae' }),
    ],
  ])('holds where it %s', async (_, log, act) => {
    act(log);
    expect(failing(await verified(log))).toEqual([]);
  });
});

function evaluateUpdate(log: LyingLog, change: { round?: number }): void {
  const at = log.find('aggregate', ({ sum }) => sum === 7) + 1;
  const value = { metric: 'rmse', value: 0.5, holdoutCount: 12 };
  log.insert(at, 'evaluation', { consortium: CONSORTIUM, run: RUN, round: 1, sum: 7, model: modelAfter(1), ...value, ...change });
}

describe('a round in which one site signs something else under the number of its sum', () => {
  it.each([
    ['an upload of another kind', { kind: 'confirm' as const, k: other }],
    ['an upload of another E', { e: other, k: other }],
  ])('counts everybody as before: %s', async (_, change) => {
    const log = honest();
    early(log, change);
    const book = new AccountBook();
    const report = await verifyFiles(await log.files(), { policy, onStatement: (statement) => book.follow(statement) });
    expect(report.verdict).toBe('holds');
    const [run] = book.account().runs;
    expect(run!.contributions.map(({ rounds }) => rounds.counted)).toEqual([2, 2, 2, 1]);
    expect(run!.sums[6]).toMatchObject({ sum: 7, kind: 'update', outcome: 'opened' });
  });
});
