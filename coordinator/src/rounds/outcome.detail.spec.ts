import { describe, expect, it } from 'vitest';
import { RoundHistory } from './round.history.fixture.js';
import { outcomesOutsideSet } from './outcome.detail.js';

const SITES = ['alpha', 'beta', 'delta', 'gamma', 'zeta'];
const others = SITES.filter((site) => site !== 'zeta');

/** What is said of zeta. */
function ofZeta(run: RoundHistory) {
  return run.said?.excluded.find(({ site }) => site === 'zeta');
}

async function frozen(run: RoundHistory, sites = others): Promise<void> {
  for (const site of sites) run.upload(site);
  await run.settle();
}

describe('what is said of a site that is not counted', () => {
  it('that was late: the deadline, and whether it was there', async () => {
    const run = new RoundHistory(SITES);
    run.open();
    others.forEach((site) => run.nonce(site));
    run.nowMs = run.round.deadlineMs;
    await run.settle();
    await frozen(run);
    expect(ofZeta(run)).toEqual({ site: 'zeta', reason: 'late', detail: 'no nonce by the deadline 1970-01-01 00:26:40 UTC; connected' });
  });

  it('that was slower than as many as the plan waits for: how many these are, and nobody waited for it', async () => {
    const run = new RoundHistory(SITES, { waitFor: 4 });
    run.open();
    others.forEach((site) => run.nonce(site));
    await run.settle();
    await frozen(run);
    expect(ofZeta(run)).toMatchObject({ reason: 'late', detail: 'no nonce when 4 sites were ready, as many as the plan waits for' });
    expect(run.round.excluded[0]).not.toHaveProperty('waitedInVain');
  });

  it('that was absent: when it was last heard of', async () => {
    const run = new RoundHistory(SITES);
    run.open();
    run.absent.add('zeta');
    others.forEach((site) => run.nonce(site));
    await run.settle();
    await frozen(run);
    expect(ofZeta(run)).toMatchObject({ reason: 'absent', detail: 'no nonce by 1970-01-01 00:16:40 UTC; last heard of 42 s before' });
  });

  it.each([
    ['declined', (run: RoundHistory) => run.decline('zeta', 'no-data'), 'declined: no-data'],
    ['left the epoch', (run: RoundHistory) => run.leave('zeta'), 'left the epoch: restored'],
  ])('that %s: its own word', async (_, act, detail) => {
    const run = new RoundHistory(SITES);
    run.open();
    others.forEach((site) => run.nonce(site));
    act(run);
    await run.settle();
    await frozen(run);
    expect(ofZeta(run)).toEqual({ site: 'zeta', reason: 'refused', detail });
  });

  it('that was on the list and did not upload: the attempt, and why if it said so', async () => {
    for (const says of [true, false]) {
      const run = new RoundHistory(SITES);
      run.open();
      SITES.forEach((site) => run.nonce(site));
      await run.settle();
      others.forEach((site) => run.upload(site));
      if (says) run.decline('zeta', 'nonce-lost');
      else run.nowMs = run.round.deadlineMs;
      await run.settle();
      const detail = says
        ? 'listed in attempt 1, then declined: nonce-lost'
        : 'listed in attempt 1, no upload by 1970-01-01 00:26:40 UTC; connected';
      expect(ofZeta(run)).toEqual({ site: 'zeta', reason: 'dropped', detail });
      expect(run.round.excluded[0]?.waitedInVain).toBe(says ? undefined : true);
    }
  });

  it('that is set aside: the five sums; and whoever watches hears when it begins and ends', async () => {
    const run = new RoundHistory(SITES);
    for (let sum = 1; sum <= 6; sum++) {
      run.open();
      others.forEach((site) => run.nonce(site));
      if (sum < 6) run.nowMs = run.round.deadlineMs;
      await run.settle();
      await frozen(run);
      run.close();
    }
    const five = 'late in sum 5, late in sum 6, late in sum 7, late in sum 8, late in sum 9';
    expect(ofZeta(run)).toEqual({ site: 'zeta', reason: 'set-aside', detail: `no nonce when the others were ready; ${five}` });
    expect(run.notes.filter((text) => text.startsWith('zeta is set aside'))).toEqual([expect.stringContaining(`in vain (${five})`)]);
    run.open();
    SITES.forEach((site) => run.nonce(site));
    await run.settle();
    await frozen(run, SITES);
    expect(run.round.counted).toEqual(SITES);
    expect(run.notes.at(-1)).toBe('zeta is back: it was in time while it was set aside.');
  });

  it('in a sum that is given up: everybody, ready or not, before the list as after it', async () => {
    const early = new RoundHistory(SITES, { onDeadline: 'abandon' });
    early.open();
    others.forEach((site) => early.nonce(site));
    early.nowMs = early.round.deadlineMs;
    await early.settle();
    expect(early.said).toMatchObject({ reason: expect.stringContaining('4 of 5 sites were ready') });
    expect(early.said?.excluded.map(({ site, reason, detail }) => [site, reason, detail?.slice(0, 13)])).toEqual([
      ...others.map((site) => [site, 'ready', 'nonce in time']),
      ['zeta', 'late', 'no nonce by t'],
    ]);

    const late = new RoundHistory(SITES, { onDeadline: 'abandon' });
    late.open();
    late.absent.add('alpha');
    SITES.slice(1).forEach((site) => late.nonce(site));
    await late.settle();
    for (const site of ['beta', 'delta']) late.upload(site);
    late.nowMs = late.round.deadlineMs;
    await late.settle();
    expect(late.said).toMatchObject({ reason: expect.stringContaining('2 of 4 listed sites had uploaded') });
    expect(late.said?.excluded.map(({ site, reason }) => `${site} ${reason}`)).toEqual([
      'alpha absent',
      'beta ready',
      'delta ready',
      'gamma dropped',
      'zeta dropped',
    ]);
  });

  it('outside a fixed set: the sum that fixed it, once, and what was said then', () => {
    const run = new RoundHistory(SITES);
    run.open();
    const excluded = [
      { site: 'alpha', reason: 'late' as const, detail: 'no nonce', waitedInVain: true },
      { site: 'zeta', reason: 'refused' as const },
    ];
    const [alpha, zeta] = outcomesOutsideSet({ ...run.round, excluded }, ['beta', 'delta', 'gamma'], SITES);
    expect(alpha).toEqual({ site: 'alpha', reason: 'late', detail: 'outside the set that sum 5 was frozen over: no nonce' });
    expect(zeta).toEqual({ site: 'zeta', reason: 'refused', detail: 'outside the set that sum 5 was frozen over' });
    const again = { ...run.round, sum: 9, fixedSet: ['beta', 'delta', 'gamma'], excluded: [alpha!, zeta!] };
    expect(outcomesOutsideSet(again, again.fixedSet, others)).toEqual([alpha]);
  });
});
