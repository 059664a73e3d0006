import { describe, expect, it } from 'vitest';
import { SITES, attest, decline, giveNonce, runningView } from '../testing/run-view.fixture.js';
import { roundProgress } from './round.progress.js';
import { runStatus } from './run.status.js';

describe('the progress of an open sum', () => {
  it('counts the nonces of the present attempt, and who stays out of it', () => {
    const view = runningView({ state: 'ready', attempt: 2, deadlineMs: 90 });
    giveNonce(view, 'alpha', 1);
    giveNonce(view, 'beta', 2);
    decline(view, 'gamma', 'no-data', 1);
    decline(view, 'zeta', 'nonce-lost', 1);
    const progress = roundProgress(view, view.rounds[0]!);
    expect(progress).toMatchObject({ sites: SITES.length, needed: 3, declined: 1, ready: 1, listed: 0, uploaded: 0, deadlineMs: 90 });
  });

  it('counts signatures of those that are asked', () => {
    const view = runningView({ state: 'attesting' });
    attest(view, 'alpha', 0);
    attest(view, 'zeta', 0);
    expect(roundProgress(view, view.rounds[0]!)).toMatchObject({ attested: 2, attesters: SITES.length, shares: 0 });
  });

  it('is told of open sums only', () => {
    expect(runStatus(runningView({ state: 'ready' })).rounds[0]?.progress).toBeDefined();
    expect(runStatus(runningView({ state: 'closed' })).rounds[0]?.progress).toBeUndefined();
  });
});
