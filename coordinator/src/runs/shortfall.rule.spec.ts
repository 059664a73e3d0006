import { refusalSubjects } from '@coferment/consortium';
import { describe, expect, it } from 'vitest';
import { E, SITES, attest, decline, give, giveNonce, runningView } from '../testing/run-view.fixture.js';
import { nextStep } from './next.step.js';
import { isShort, needOf, stuckAt } from './shortfall.rule.js';
import type { RunView } from './run.view.js';

const nobody = () => new Set<string>();
const absent =
  (...sites: string[]) =>
  (among: readonly string[]) =>
    new Set(sites.filter((site) => among.includes(site)));
const D = (digit: string) => digit.repeat(64);
const DEADLINE = 1000;

function share(view: RunView, site: string): void {
  const { run, sum, kind } = view.rounds[0]!;
  const signed = { consortium: 'unit', run, e: E, kind, sum, k: D('c'), t: D('c'), site, blocks: 1, object: D('c'), merkleRoot: D('c') };
  give(view, 'share', site, `${sum}`, signed);
}

function refuse(view: RunView, site: string, subject: string): void {
  give(view, 'instruction-refused', site, `${subject}/x`, { consortium: 'unit', run: view.run.run, site, subject, rule: 'x', reason: '' });
}

const stopped = (view: RunView): RunView => ({
  ...view,
  run: { ...view.run, state: 'stuck' },
  rounds: view.rounds.map((round) => ({ ...round, state: round.state === 'ready' ? ('stalled' as const) : ('stuck' as const) })),
});

/** Of four sites three must sign, and three of four key holders must give their share. */
describe.each([
  [
    'signatures',
    'attesting',
    {},
    (view: RunView, site: string) => attest(view, site, 0),
    refusalSubjects.step('attest', 5),
    'resume-attesting',
  ],
  ['shares', 'decrypting', { certificate: [D('d')] as string[] }, share, refusalSubjects.step('releaseShare', 5), 'resume-decrypting'],
] as const)('a sum that lacks %s', (_, state, change, act, subject, resume) => {
  const waiting = () => {
    const view = runningView({ state, deadlineMs: DEADLINE, t: D('c'), counted: SITES, ...change });
    act(view, 'alpha');
    act(view, 'beta');
    return view;
  };

  it('is stuck past its deadline when too few can act, and not before', () => {
    const view = waiting();
    expect(nextStep(view, absent('gamma', 'zeta'), DEADLINE - 1)).toBeUndefined();
    expect(nextStep(view, absent('gamma', 'zeta'), DEADLINE)).toMatchObject({ do: 'block-waiting', sum: 5, event: 'block' });
  });

  it('is not stuck while enough are there, however late it is', () => {
    expect(nextStep(waiting(), absent('zeta'), 1e15)).toBeUndefined();
    expect(nextStep(waiting(), nobody, 1e15)).toBeUndefined();
  });

  it('counts out who refuses and who has left the key epoch, and says so', () => {
    const view = waiting();
    refuse(view, 'gamma', subject);
    give(view, 'epoch-left', 'zeta', '1', { consortium: 'unit', run: view.run.run, epoch: 1, site: 'zeta', reason: 'restored' });
    const step = nextStep(view, nobody, DEADLINE);
    expect(step).toMatchObject({ do: 'block-waiting', cause: expect.stringMatching(/gamma \(declined\), zeta \(left the key epoch\)/) });
    expect(step).toMatchObject({ cause: expect.stringMatching(/2 .* 3 must/) });
  });

  it('goes on with the act that was missing, and not when somebody is merely back', () => {
    const view = stopped(waiting());
    expect(nextStep(view, nobody, 1e15)).toBeUndefined();
    act(view, 'zeta');
    expect(nextStep(view, absent('gamma'), 1e15)).toEqual({ do: 'resume', sum: 5, event: resume });
  });
});

describe('a sum over a fixed set', () => {
  const fixed = (change: object = {}) => {
    const view = runningView({ fixedSet: SITES, deadlineMs: DEADLINE, ...change });
    for (const site of SITES.slice(0, 3)) giveNonce(view, site);
    return view;
  };

  it('stalls past its deadline without one of it, who is away or stays out', () => {
    expect(nextStep(fixed(), absent('zeta'), DEADLINE - 1)).toBeUndefined();
    expect(nextStep(fixed(), nobody, 1e15)).toBeUndefined();
    expect(nextStep(fixed(), absent('zeta'), DEADLINE)).toMatchObject({ do: 'block-waiting', event: 'stall' });
    const view = fixed();
    decline(view, 'zeta', 'no-data');
    expect(nextStep(view, nobody, DEADLINE)).toMatchObject({
      do: 'block-waiting',
      cause: expect.stringMatching(/3 of its 4 sites.*zeta \(declined\)/),
    });
  });

  it('goes on when all of it have drawn fresh nonces', () => {
    const view = stopped(fixed({ state: 'ready' }));
    expect(nextStep(view, nobody, 0)).toBeUndefined();
    giveNonce(view, 'zeta');
    expect(nextStep(view, nobody, 0)).toEqual({ do: 'resume', sum: 5, event: 'resume-collecting' });
  });

  it('stalls where an upload does not come, too', () => {
    const nonces = SITES.map((site) => ({ site, nonce: site }));
    expect(nextStep(fixed({ state: 'uploading', nonces }), absent(...SITES), DEADLINE)).toMatchObject({ event: 'stall' });
  });
});

describe('a sum over a fixed set whose upload was lost with a restart', () => {
  it('gets a new attempt once the others have sent theirs, and is not stuck', () => {
    const nonces = SITES.map((site) => ({ site, nonce: site }));
    const view = runningView({ fixedSet: SITES, deadlineMs: DEADLINE, state: 'uploading', nonces });
    decline(view, 'zeta', 'nonce-lost');
    expect(nextStep(view, nobody, DEADLINE)).toBeUndefined();
    expect(nextStep(view, absent('gamma'), DEADLINE)).toMatchObject({ do: 'block-waiting', event: 'stall' });
    for (const site of SITES.slice(0, 3)) decline(view, site, 'nonce-lost');
    expect(nextStep(view, nobody, DEADLINE)).toEqual({ do: 'new-attempt', sum: 5 });
  });
});

describe('any other sum', () => {
  it('goes on without whoever is missing', () => {
    expect(needOf(runningView(), runningView().rounds[0]!, absent(...SITES))).toBeUndefined();
  });

  it('that was garbled gets no better by waiting', () => {
    const failure = { reason: 'parity' as const, named: [], detail: 'no fit', shares: 4 };
    const view = stopped(runningView({ state: 'garbled', failure, certificate: [D('d')], t: D('c'), counted: SITES }));
    expect(stuckAt(view.rounds[0]!)).toBe('garbled');
    for (const site of SITES) share(view, site);
    expect(nextStep(view, nobody, 1e15)).toBeUndefined();
  });

  it('that confirms a key waits in the key ceremony, which can be begun anew', () => {
    const view = runningView({ kind: 'confirm', confirms: 'alpha', state: 'attesting', deadlineMs: 0 });
    expect(nextStep(view, absent(...SITES), 1e15)).toBeUndefined();
  });

  it('is short only by those who cannot act', () => {
    const missing = [
      { site: 'a', why: undefined },
      { site: 'b', why: 'absent' as const },
    ];
    expect(isShort({ at: 'attesting', needed: 2, given: ['c'], missing })).toBe(false);
    expect(isShort({ at: 'attesting', needed: 3, given: ['c'], missing })).toBe(true);
  });
});
