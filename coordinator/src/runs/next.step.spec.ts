import { describe, expect, it } from 'vitest';
import { attest, decline, give, giveNonce, runningView, SITES, storedRun } from '../testing/run-view.fixture.js';
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

  it('fails the run over a refused dealing and names the pair', () => {
    const view = storedRun({ state: 'key-ceremony' }, { rosterDigest: 'a'.repeat(64), e0: 'b'.repeat(64) });
    const digest = 'c'.repeat(64);
    const inEpoch = { consortium: 'unit', run: view.run.run, epoch: 1 };
    for (const site of SITES)
      give(view, 'roster-approved', site, '1', { ...inEpoch, site, roster: digest, fingerprint: digest, e0: digest });
    give(view, 'dealing', 'beta', '1', { ...inEpoch, e0: digest, site: 'beta', commitments: [], masked: digest, boxes: [] });
    give(view, 'dealing-refused', 'gamma', '1/beta', {
      ...inEpoch,
      e0: digest,
      dealer: 'beta',
      site: 'gamma',
      dealing: digest,
      reason: 'not on the polynomial',
    });
    const step = nextStep(view, nobody, 0);
    expect(step).toMatchObject({ do: 'fail', cause: expect.stringMatching(/"gamma".*"beta".*not on the polynomial/) });
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

  it('is none for a run that is over, in any state of its sums', () => {
    const view = runningView({ state: 'frozen' });
    expect(nextStep(view, nobody, 0)).toEqual({ do: 'ask-attestation', sums: [5] });
    expect(nextStep({ ...view, run: { ...view.run, state: 'aborted' } }, nobody, 0)).toBeUndefined();
  });
});
