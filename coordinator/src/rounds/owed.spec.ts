import { describe, expect, it } from 'vitest';
import { decline, give, giveNonce, attest, runningView, SITES, storedRun } from '../testing/run-view.fixture.js';
import { owedInstructions } from './owed.js';

const kinds = (...parameters: Parameters<typeof owedInstructions>) => owedInstructions(...parameters).map(({ kind }) => kind?.$case);

describe('what a site owes', () => {
  it('is its approval, until it has given it; a stranger owes nothing', () => {
    const view = storedRun();
    expect(kinds(view, 'alpha', 0)).toEqual(['approvePlan']);
    give(view, 'plan-approved', 'alpha', '', { consortium: 'unit', site: 'alpha', plan: view.run.plan, ordinal: 1, sites: SITES });
    expect(kinds(view, 'alpha', 0)).toEqual([]);
    expect(kinds(view, 'beta', 0)).toEqual(['approvePlan']);
    expect(kinds(view, 'stranger', 0)).toEqual([]);
  });

  it('is a sealing key, then the approval of the roster', () => {
    const offering = storedRun({ state: 'key-ceremony' });
    expect(kinds(offering, 'alpha', 0)).toEqual(['offerSealingKey']);
    const approving = storedRun({ state: 'key-ceremony' }, { rosterDigest: 'a'.repeat(64), e0: 'b'.repeat(64) });
    expect(kinds(approving, 'alpha', 0)).toEqual(['approveRoster']);
  });

  it.each(['training', 'ready'] as const)('is a nonce in %s, once for each attempt', (state) => {
    const view = runningView({ state });
    expect(kinds(view, 'alpha', 0)).toEqual(['prepareSum']);
    giveNonce(view, 'alpha');
    expect(kinds(view, 'alpha', 0)).toEqual([]);
    const again = { ...view, rounds: [{ ...view.rounds[0]!, attempt: 2 }] };
    expect(kinds(again, 'alpha', 0)).toEqual(['prepareSum']);
  });

  it('is nothing after it has declined: for the attempt, or for the sum when it has no data', () => {
    const view = runningView();
    decline(view, 'alpha', 'nonce-lost');
    decline(view, 'beta', 'no-data');
    expect([kinds(view, 'alpha', 0), kinds(view, 'beta', 0)]).toEqual([[], []]);
    const again = { ...view, rounds: [{ ...view.rounds[0]!, attempt: 2 }] };
    expect([kinds(again, 'alpha', 0), kinds(again, 'beta', 0)]).toEqual([['prepareSum'], []]);
  });

  it('is an encrypted vector for sites on the list only', () => {
    const view = runningView({ state: 'uploading', nonces: [{ site: 'alpha', nonce: 'a'.repeat(64) }] });
    expect(kinds(view, 'alpha', 0)).toEqual(['encrypt']);
    expect(kinds(view, 'beta', 0)).toEqual([]);
  });

  it('is an attestation of every site, counted or not', () => {
    const view = runningView({ state: 'attesting' });
    for (const site of SITES) expect(kinds(view, site, 0)).toEqual(['attest']);
    attest(view, 'zeta', 1);
    expect(kinds(view, 'zeta', 0)).toEqual([]);
  });

  it('is a decryption share of key holders', () => {
    const view = runningView({ state: 'decrypting' });
    expect(kinds(view, 'alpha', 0)).toEqual(['releaseShare']);
    view.epoch.roster.keyHolders = view.epoch.roster.keyHolders.filter((holder) => holder.site !== 'alpha');
    expect(kinds(view, 'alpha', 0)).toEqual([]);
  });

  it.each(['frozen', 'applying', 'abandoned', 'garbled', 'stuck', 'superseded'] as const)('is nothing while a sum is %s', (state) => {
    expect(kinds(runningView({ state }), 'alpha', 0)).toEqual([]);
  });
});
