import { describe, expect, it } from 'vitest';
import { OPERATOR } from '../runs/act.entity.js';
import { nextStep } from '../runs/next.step.js';
import type { RunView } from '../runs/run.view.js';
import { waitingOf } from '../runs/run.waiting.js';
import { SITES, give, giveNonce, runningView } from '../testing/run-view.fixture.js';
import type { RoundRow } from './round.entity.js';
import { newRound } from './round.opening.js';
import { type Failure, notWaitedFor, setAsideSites, wasReadmitted } from './standing.rule.js';

/** What becomes of zeta in one sum: letters as in `LLLLL`. */
type Fate = 'L' | 'D' | 'A' | 'R' | 'N' | 'S' | 'C' | '-';

const T = 't'.repeat(64);

/** `N`: slower than as many as the plan waits for. `-`: not in the epoch of the sum. Sums from 5 on. */
function sumOf(view: RunView, sum: number, fate: Fate, change: Partial<RoundRow> = {}): RoundRow {
  const others = SITES.filter((site) => site !== 'zeta');
  const round = {
    ...newRound(view, { kind: 'statistics', sum, round: 0, confirms: null, from: undefined }, 0),
    state: 'closed' as const,
    t: T,
  };
  const out = (reason: RoundRow['excluded'][number]['reason'], waitedInVain?: true) => ({
    ...round,
    counted: others,
    excluded: [{ site: 'zeta', reason, ...(waitedInVain === undefined ? {} : { waitedInVain }) }],
    ...change,
  });
  switch (fate) {
    case 'L':
      return out('late', true);
    case 'D':
      return out('dropped', true);
    case 'A':
      return out('absent', true);
    case 'R':
      return out('refused');
    case 'N':
      return out('late');
    case 'S':
      return out('set-aside');
    case 'C':
      return { ...round, counted: SITES, excluded: [], ...change };
    case '-':
      return { ...round, counted: others, excluded: [], ...change };
  }
}

function viewOf(fates: string, change: (sum: number) => Partial<RoundRow> = () => ({})): RunView {
  const view = runningView();
  return { ...view, rounds: fates.split('').map((fate, index) => sumOf(view, 5 + index, fate as Fate, change(5 + index))) };
}

const failures = (view: RunView): readonly Failure[] | undefined => setAsideSites(view).get('zeta');
const readmit = (view: RunView, sum: number) =>
  give(view, 'site-readmitted', OPERATOR, `zeta/${sum}`, { consortium: 'unit', run: view.run.run, site: 'zeta', sum });

describe('a site', () => {
  it.each([
    ['four failures', 'LDAL', false],
    ['five in a row', 'LDALA', true],
    ['five, with one counted between', 'LLLCLL', false],
    ['five, with a declined sum between', 'LLRLLL', false],
    ['five, with sums between that waited for as many as the plan says, and had them', 'LLNNLNLL', true],
    ['five, with sums between in whose epoch it is not', 'LL-LL-L', true],
    ['five, and left out since', 'LLLLLSSS', true],
    ['five, and declined since', 'LLLLLSRS', true],
    ['five, and counted since', 'LLLLLSC', false],
    ['five, counted, and four again', 'LLLLLSCLLLL', false],
    ['five, counted, and five again', 'LLLLLCDDDDD', true],
    ['only declines', 'RRRRRRR', false],
    ['only sums that did not wait for it', 'NNNNNNN', false],
  ])('with %s: set aside or not', (_, fates, expected) => {
    expect(failures(viewOf(fates)) !== undefined).toBe(expected);
  });

  it('is told which sums failed it, oldest first', () => {
    expect(failures(viewOf('CLDALAS'))).toEqual([
      { sum: 6, reason: 'late' },
      { sum: 7, reason: 'dropped' },
      { sum: 8, reason: 'absent' },
      { sum: 9, reason: 'late' },
      { sum: 10, reason: 'absent' },
    ]);
  });

  it('is judged by no sum whose set is fixed, that confirms a key, or that is not decided', () => {
    for (const change of [{ fixedSet: SITES }, { kind: 'confirm' as const }, { t: null, state: 'uploading' as const }])
      expect(failures(viewOf('LLLLL', (sum) => (sum === 9 ? change : {})))).toBeUndefined();
    expect(failures(viewOf('LLLLL', (sum) => (sum === 9 ? { state: 'superseded' } : {})))).toHaveLength(5);
  });

  it('is not set aside in a key epoch that is without it', () => {
    const view = viewOf('LLLLL');
    view.epoch.roster.leftOut = ['zeta'];
    expect(failures(view)).toBeUndefined();
  });

  it('is waited for again when the operator readmits it, and set aside again after five more', () => {
    const view = viewOf('LLLLLSS');
    expect(wasReadmitted(view, 'zeta')).toBe(false);
    readmit(view, 9);
    expect(failures(view)).toBeUndefined();
    expect(wasReadmitted(view, 'zeta')).toBe(true);
    const later = { ...viewOf('LLLLLSSLLLL'), acts: view.acts };
    expect(failures(later)).toBeUndefined();
    expect(wasReadmitted(later, 'zeta')).toBe(false);
    expect(failures({ ...viewOf('LLLLLSSLLLLL'), acts: view.acts })).toHaveLength(5);
  });
});

describe('a sum', () => {
  const withOpen = (change: Partial<RoundRow> = {}): RunView => {
    const view = viewOf('LLLLL');
    return {
      ...view,
      rounds: [
        { ...newRound(view, { kind: 'statistics', sum: 12, round: 0, confirms: null, from: undefined }, 0), ...change },
        ...view.rounds,
      ],
    };
  };
  const nobody = () => new Set<string>();

  it('closes its list without a site that is set aside, names it so, and does not say that it waits for it', () => {
    const view = withOpen();
    for (const site of ['alpha', 'beta']) giveNonce(view, site);
    expect(nextStep(view, nobody, 0)).toBeUndefined();
    expect(waitingOf(view)).toMatchObject({
      waitingFor: ['gamma', 'zeta'],
      whatToDo: expect.stringMatching(/2 sites are ready; the sum needs 3.*zeta: set aside, and needed now/),
    });
    giveNonce(view, 'gamma');
    expect(nextStep(view, nobody, 0)).toEqual({ do: 'close-list', sum: 12, excluded: [{ site: 'zeta', reason: 'set-aside' }] });
    expect(waitingOf(view).waitingFor).toEqual([]);
  });

  it('over a fixed set, or that confirms a key, waits for whoever is in it', () => {
    for (const change of [{ fixedSet: SITES }, { kind: 'confirm' as const, confirms: 'zeta' }]) {
      const view = withOpen(change);
      expect([...notWaitedFor(view, view.rounds[0]!)]).toEqual([]);
    }
  });
});
