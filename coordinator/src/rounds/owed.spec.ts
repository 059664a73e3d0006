import { describe, expect, it } from 'vitest';
import { E, decline, give, giveByOperator, giveNonce, attest, runningView, SITES, storedRun } from '../testing/run-view.fixture.js';
import type { RunView } from '../runs/run.view.js';
import { slots } from '../runs/slot.names.js';
import { owedInstructions } from './owed.js';

const kinds = (view: RunView, site: string, appliedSum: number, epoch = 0) =>
  owedInstructions(view, site, { appliedSum, epoch }).map(({ kind }) => kind?.$case);

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

  it('is a few shares at a time: the certificates of a hundred confirm sums do not fit into one answer', () => {
    const view = runningView({ state: 'decrypting' });
    const [round] = view.rounds;
    const many = { ...view, rounds: Array.from({ length: 100 }, (_, index) => ({ ...round!, sum: index + 1 })) };
    expect(kinds(many, 'alpha', 0)).toEqual(['releaseShare', 'releaseShare', 'releaseShare', 'releaseShare']);
  });

  it.each(['frozen', 'applying', 'abandoned', 'stuck', 'superseded'] as const)('is nothing while a sum is %s', (state) => {
    expect(kinds(runningView({ state }), 'alpha', 0)).toEqual([]);
  });

  it('is nothing new in a run that is stuck', () => {
    const view = runningView({ state: 'decrypting' });
    expect(kinds({ ...view, run: { ...view.run, state: 'stuck' } }, 'alpha', 0)).toEqual([]);
  });

  it('is, of a second set that stopped, the attestation before the approval of a third: that starts from the second', () => {
    const digest = 'c'.repeat(64);
    const view = runningView({ state: 'stuck', t: digest, k: digest, certificate: [digest], newSet: null });
    const { run, sum, kind } = view.rounds[0]!;
    const proposed = { consortium: 'unit', run, e: E, kind, sum, modelIn: 'none' as const, t: digest };
    const sets = { before: SITES.slice(0, 3), after: SITES, approvers: ['alpha', 'zeta'] };
    giveByOperator(view, 'new-set-proposed', slots.ofProposal(sum, 1), { ...proposed, ...sets });
    attest(view, 'zeta', 1);
    const stuck = { ...view, run: { ...view.run, state: 'stuck' as const } };
    expect(kinds(stuck, 'alpha', 0)).toEqual(['releaseShare', 'approveNewSet']);
    const second = { ...stuck, rounds: [{ ...view.rounds[0]!, newSet: slots.ofProposal(sum, 1) }] };
    expect(kinds(second, 'alpha', 0)).toEqual(['releaseShare', 'attest', 'approveNewSet']);
    expect(kinds(second, 'zeta', 0)).toEqual(['releaseShare', 'approveNewSet']);
    expect(kinds(second, 'beta', 0)).toEqual(['releaseShare']);
  });

  it('is for a site that is left out the roster, then E, then attestations; never a key or an upload', () => {
    const view = runningView({ state: 'training' });
    const { roster } = view.epoch;
    const without = { ...view, epoch: { ...view.epoch, roster: { ...roster, leftOut: ['zeta'] } } };
    expect(kinds(without, 'zeta', 0)).toEqual(['approveRoster']);
    const digest = 'c'.repeat(64);
    const approval = { consortium: 'unit', run: view.run.run, epoch: 1, site: 'zeta', roster: digest, fingerprint: digest, e0: digest };
    give(without, 'roster-approved', 'zeta', '1', approval);
    expect(kinds(without, 'zeta', 0)).toEqual(['agreeEpoch']);
    expect(kinds(without, 'zeta', 0, 1)).toEqual([]);
    expect(kinds(without, 'alpha', 0)).toEqual(['prepareSum']);
    const stuck = { ...without, run: { ...view.run, state: 'stuck' as const } };
    expect(kinds({ ...stuck, rounds: [{ ...view.rounds[0]!, state: 'stuck' as const, t: digest }] }, 'zeta', 0)).toEqual(['agreeEpoch']);
    const attesting = { ...without, rounds: [{ ...without.rounds[0]!, state: 'attesting' as const, k: digest, t: digest }] };
    expect(kinds(attesting, 'zeta', 0, 1)).toEqual(['attest']);
    const ceremony = {
      ...without,
      run: { ...view.run, state: 'key-ceremony' as const },
      epoch: { ...without.epoch, rosterDigest: null, e: null },
    };
    expect(kinds(ceremony, 'zeta', 0)).toEqual([]);
  });
});
