import { describe, expect, it } from 'vitest';
import { attest, decline, E, give, giveNonce, runningView, SITES, storedRun } from '../testing/run-view.fixture.js';
import { nextStep } from './next.step.js';

const nobody = () => new Set<string>();
const absent =
  (...sites: string[]) =>
  (among: readonly string[]) =>
    new Set(sites.filter((site) => among.includes(site)));

describe('the next step of a run', () => {
  it('starts the key epoch with the last approval, not before', () => {
    const view = storedRun();
    for (const site of SITES) {
      expect(nextStep(view, nobody, 0)).toBeUndefined();
      give(view, 'plan-approved', site, '', { consortium: 'unit', site, plan: view.run.plan, ordinal: 1, sites: SITES });
    }
    expect(nextStep(view, nobody, 0)).toEqual({ do: 'start-epoch' });
  });

  it('stops the run over a refused dealing and names the pair, once the other holders have spoken or had time to', () => {
    const view = storedRun({ state: 'key-ceremony' }, { rosterDigest: 'a'.repeat(64), e0: 'b'.repeat(64) });
    const digest = 'c'.repeat(64);
    const inEpoch = { consortium: 'unit', run: view.run.run, epoch: 1 };
    for (const site of SITES)
      give(view, 'roster-approved', site, '1', { ...inEpoch, site, roster: digest, fingerprint: digest, e0: digest });
    give(view, 'dealing', 'beta', '1', { ...inEpoch, e0: digest, site: 'beta', commitments: [], masked: digest, boxes: [] });
    const verdict = { ...inEpoch, e0: digest, dealer: 'beta', dealing: digest };
    give(view, 'dealing-refused', 'gamma', '1/beta', { ...verdict, site: 'gamma', reason: 'not on the polynomial' }, 1000);
    expect(nextStep(view, nobody, 2999)).toBeUndefined();
    const step = nextStep(view, nobody, 3000);
    expect(step).toMatchObject({
      do: 'block',
      cause: expect.stringMatching(/"gamma" refuses the dealing of "beta" \(not on the polynomial\)/),
    });
    expect(step).toMatchObject({
      whatToDo: expect.stringMatching(/"beta" or "gamma", is at fault.*--leave-out beta.*--replace-holder gamma/),
    });
    for (const site of ['alpha', 'beta', 'zeta']) give(view, 'dealing-ack', site, '1/beta', { ...verdict, site });
    expect(nextStep(view, nobody, 1000)).toEqual(step);
    expect(nextStep({ ...view, run: { ...view.run, state: 'stuck' } }, nobody, 3000)).toBeUndefined();
  });

  it('tries a garbled sum again with every further share, and stops the run when none will come', () => {
    const failure = { reason: 'parity' as const, named: [], detail: 'no fit', shares: 1 };
    const view = runningView({ state: 'garbled', failure, deadlineMs: 5000 });
    const digest = 'c'.repeat(64);
    const share = (site: string) =>
      give(view, 'share', site, '5', {
        consortium: 'unit',
        run: view.run.run,
        e: E,
        kind: 'statistics',
        sum: 5,
        k: digest,
        t: digest,
        site,
        blocks: 1,
        object: digest,
        merkleRoot: digest,
      });
    share('alpha');
    expect(nextStep(view, nobody, 0)).toBeUndefined();
    expect(nextStep(view, nobody, 5000)).toEqual({ do: 'block-over-sum', sum: 5 });
    expect(nextStep(view, absent('beta', 'gamma', 'zeta'), 0)).toEqual({ do: 'block-over-sum', sum: 5 });
    share('beta');
    expect(nextStep(view, nobody, 0)).toEqual({ do: 'open-again', sum: 5 });
  });

  it('closes and freezes a sum over a fixed set with all of it only, whatever the deadline says', () => {
    const fixedSet = ['alpha', 'beta', 'gamma'];
    const view = runningView({ fixedSet });
    view.plan.quorum.onDeadline = 'abandon';
    giveNonce(view, 'alpha');
    giveNonce(view, 'beta');
    expect(nextStep(view, absent('gamma'), view.rounds[0]!.deadlineMs - 1)).toBeUndefined();
    // The clock alone stops nothing, and no set but the whole one is ever closed: without gamma the sum stalls.
    expect(nextStep(view, nobody, view.rounds[0]!.deadlineMs)).toBeUndefined();
    expect(nextStep(view, absent('gamma'), view.rounds[0]!.deadlineMs)).toMatchObject({ do: 'block-waiting', sum: 5, event: 'stall' });
    giveNonce(view, 'gamma');
    expect(nextStep(view, nobody, 0)).toEqual({ do: 'close-list', sum: 5, excluded: [] });
    const nonces = fixedSet.map((site) => ({ site, nonce: site }));
    const uploading = { ...view, rounds: [{ ...view.rounds[0]!, state: 'uploading' as const, nonces }] };
    expect(nextStep(uploading, nobody, 1e15)).toBeUndefined();
    expect(nextStep(uploading, absent(...fixedSet), 0)).toEqual({ do: 'new-attempt', sum: 5 });
  });

  it('closes the list without an absent site, and waits for one that is there', () => {
    const view = runningView();
    for (const site of ['alpha', 'beta', 'gamma']) giveNonce(view, site);
    expect(nextStep(view, nobody, 0)).toBeUndefined();
    expect(nextStep(view, absent('zeta'), 0)).toEqual({ do: 'close-list', sum: 5, excluded: [{ site: 'zeta', reason: 'absent' }] });
    expect(nextStep(view, nobody, view.plan.quorum.deadline)).toEqual({
      do: 'close-list',
      sum: 5,
      excluded: [{ site: 'zeta', reason: 'late' }],
    });
  });

  it('does not count the nonce of a site that has lost it since', () => {
    const view = runningView();
    for (const site of SITES) giveNonce(view, site);
    decline(view, 'beta', 'nonce-lost');
    expect(nextStep(view, nobody, 0)).toEqual({ do: 'close-list', sum: 5, excluded: [{ site: 'beta', reason: 'refused' }] });
  });

  it('certifies with a quorum of attestations: at once when all have signed, else after the grace', () => {
    const view = runningView({ state: 'attesting' });
    const { rho } = view.epoch.roster.numbers;
    SITES.slice(0, rho).forEach((site) => attest(view, site, 1000));
    if (rho < SITES.length) expect(nextStep(view, nobody, 1000)).toBeUndefined();
    expect(nextStep(view, nobody, 3000)).toEqual({ do: 'certify', sums: [5] });
  });

  it('waits for no signature of a site that is left out, and counts the one it gives', () => {
    const view = runningView({ state: 'attesting' });
    view.epoch.roster.leftOut = ['zeta'];
    for (const site of ['alpha', 'beta']) attest(view, site, 1000);
    expect(nextStep(view, nobody, 9000)).toBeUndefined();
    attest(view, 'zeta', 1000);
    expect(nextStep(view, nobody, 3000)).toEqual({ do: 'certify', sums: [5] });
    attest(view, 'gamma', 1000);
    expect(nextStep(view, nobody, 1000)).toEqual({ do: 'certify', sums: [5] });
  });

  it('is none for a run that is over, in any state of its sums', () => {
    const view = runningView({ state: 'frozen' });
    expect(nextStep(view, nobody, 0)).toEqual({ do: 'ask-attestation', sums: [5] });
    expect(nextStep({ ...view, run: { ...view.run, state: 'aborted' } }, nobody, 0)).toBeUndefined();
  });
});
