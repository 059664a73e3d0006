import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { RoundHistory } from './round.history.fixture.js';
import { FAILURES_UNTIL_SET_ASIDE, setAsideSites } from './standing.rule.js';

const SITES = ['alpha', 'beta', 'delta', 'epsilon', 'gamma', 'iota', 'zeta'];
const FAILED = ['late', 'dropped', 'absent'];

const habit = fc.constantFrom<Habit>('quick', 'slow', 'slow', 'drops', 'absent', 'absent', 'no-data', 'loses-nonce', 'leaves');
type Habit = 'quick' | 'slow' | 'drops' | 'absent' | 'no-data' | 'loses-nonce' | 'leaves';

const history = fc.record({
  onDeadline: fc.constantFrom('proceed-with-quorum' as const, 'proceed-with-quorum' as const, 'wait' as const, 'abandon' as const),
  waitFor: fc.constantFrom('all' as const, 'all' as const, 6),
  /** What some sites usually do, beside those that are quick; some sums differ. */
  usual: fc.dictionary(fc.constantFrom(...SITES), habit, { maxKeys: 2 }),
  sums: fc.array(
    fc.record({
      other: fc.oneof(
        { weight: 3, arbitrary: fc.constant<Record<string, Habit>>({}) },
        fc.dictionary(fc.constantFrom(...SITES), habit, { maxKeys: 2 }),
      ),
      readmits: fc.nat({ max: 3 }).map((draw) => draw === 0),
    }),
    { minLength: 1, maxLength: 14, size: 'max' },
  ),
});

/** One sum, up to its decision if its plan and its sites lead to one. */
async function live(run: RoundHistory, habitOf: (site: string) => Habit): Promise<void> {
  run.open();
  run.absent = new Set(SITES.filter((site) => habitOf(site) === 'absent'));
  for (let pass = 0; pass < 6 && run.said === undefined; pass++) {
    const { deadlineMs } = run.round;
    // After the first deadlines whoever can come comes, or some sums would never be decided.
    const isRescue = pass >= 3;
    if (isRescue) run.absent = new Set();
    for (const when of [run.nowMs + 1, deadlineMs]) {
      run.nowMs = Math.max(run.nowMs, when);
      for (const site of SITES) act(run, site, isRescue ? 'quick' : habitOf(site));
      await run.settle();
      if (run.said !== undefined) return;
    }
  }
}

function act(run: RoundHistory, site: string, does: Habit): void {
  const { state, nonces } = run.round;
  const hasNonce = nonces.some((entry) => entry.site === site);
  if (state === 'training' || state === 'ready') {
    if (does === 'leaves') run.leave(site);
    else if (does === 'no-data') run.decline(site, 'no-data');
    else if (does !== 'absent' && does !== 'slow') run.nonce(site);
  } else if (state === 'uploading' && hasNonce) {
    if (does === 'loses-nonce') run.decline(site, 'nonce-lost');
    else if (does === 'quick') run.upload(site);
  }
}

describe('any history of sums', () => {
  it('names every site of the epoch exactly once in each decided sum, never counts too few, and sets aside for five failures only', async () => {
    const seen = new Map<string, number>();
    await fc.assert(
      fc.asyncProperty(history, async ({ onDeadline, waitFor, usual, sums }) => {
        const run = new RoundHistory(SITES, { onDeadline, waitFor });
        const { minContributors } = run.view.epoch.roster.numbers;
        const lastReasons = new Map<string, string[]>(SITES.map((site) => [site, []]));
        for (const { other, readmits } of sums) {
          await live(run, (site) => other[site] ?? usual[site] ?? 'quick');
          const { said, round } = run;
          if (said === undefined) return;
          const counted = 'counted' in said ? said.counted.map(({ site }) => site) : [];
          const { excluded } = said;
          expect([...counted, ...excluded.map(({ site }) => site)].toSorted()).toEqual(SITES);
          expect(round).toMatchObject({ counted, excluded });
          for (const { site, reason, detail } of excluded) {
            seen.set(reason, (seen.get(reason) ?? 0) + 1);
            expect(detail).toMatch(/./);
            const before = lastReasons.get(site)!;
            if (reason === 'set-aside') {
              const last = before.filter((earlier) => earlier !== 'set-aside' && earlier !== 'refused').slice(-FAILURES_UNTIL_SET_ASIDE);
              expect(last.map((earlier) => FAILED.includes(earlier))).toEqual(Array(FAILURES_UNTIL_SET_ASIDE).fill(true));
            }
            before.push(reason);
          }
          for (const site of counted) lastReasons.get(site)!.push('counted');
          if (!('counted' in said)) {
            expect(run.view.run.state).toBe('failed');
            return;
          }
          expect(counted.length).toBeGreaterThanOrEqual(minContributors);
          expect(excluded.map(({ reason }) => reason)).not.toContain('ready');
          for (const site of counted) expect(setAsideSites(run.view).has(site)).toBe(false);
          run.close();
          if (!readmits) continue;
          for (const [site, failures] of setAsideSites(run.view)) {
            run.readmit(site, failures.at(-1)!.sum);
            lastReasons.set(site, []);
          }
          expect(setAsideSites(run.view).size).toBe(0);
        }
      }),
      { numRuns: process.env['RELIABILITY_FULL'] === '1' ? 2000 : 60 },
    );
    // The histories are no good where one of the outcomes never comes about.
    expect([...seen.keys()].toSorted()).toEqual(['absent', 'dropped', 'late', 'ready', 'refused', 'set-aside']);
  });
});
