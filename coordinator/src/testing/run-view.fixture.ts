import {
  type Predicate,
  type PredicateName,
  parsePlan,
  planDigest,
  rosterFingerprint,
  runId,
  signStatement,
  statementBytes,
} from '@coferment/consortium';
import { generateIdentity, sha256Hex } from '@coferment/crypto';
import type { RoundRow } from '../rounds/round.entity.js';
import { newRound } from '../rounds/round.opening.js';
import { OPERATOR } from '../runs/act.entity.js';
import { ActIndex } from '../runs/act.index.js';
import { firstRoster } from '../runs/first.roster.js';
import type { RunView } from '../runs/run.view.js';

export const SITES = ['alpha', 'beta', 'gamma', 'zeta'];
export const E = 'e'.repeat(64);
const CONSORTIUM = 'unit';
const signer = generateIdentity();

/** A stored run as the pure rules see it, without a database. */
export function storedRun(change: Partial<RunView['run']> = {}, epoch: Partial<RunView['epoch']> = {}): RunView {
  const plan = parsePlan({
    schema: 1,
    plan: 'unit',
    sample: { of: ['temperature'] },
    target: { variable: 'product_concentration' },
    model: { kind: 'linear' },
  });
  const digest = planDigest(plan);
  const run = runId(digest, 1);
  const roster = firstRoster(
    plan,
    SITES.map((site) => ({ site, identityKey: sha256Hex(Buffer.from(site)) })),
  );
  return {
    consortium: CONSORTIUM,
    run: {
      run,
      plan: digest,
      planName: 'unit',
      ordinal: 1,
      state: 'awaiting-approval',
      epoch: 1,
      sites: SITES,
      model: 'none',
      cause: '',
      whatToDo: '',
      openedMs: 0,
      approveByMs: null,
      startAtMs: null,
      notApproved: [],
      closedMs: null,
      version: 1,
      ...change,
    },
    plan,
    epoch: {
      run,
      epoch: 1,
      roster,
      fingerprint: rosterFingerprint(roster),
      rosterDigest: null,
      e0: null,
      e: null,
      renewal: null,
      ...epoch,
    },
    earlierEpochs: [],
    rounds: [],
    acts: new ActIndex(),
  };
}

/** A run whose key epoch is agreed and confirmed, with its statistics sum in the given state. */
export function runningView(change: Partial<RoundRow> = {}): RunView {
  const view = storedRun({ state: 'running' }, { rosterDigest: 'a'.repeat(64), e0: 'b'.repeat(64), e: E });
  const round = newRound(view, { kind: 'statistics', sum: 5, round: 0, confirms: null, from: undefined }, 0);
  return { ...view, rounds: [{ ...round, ...change }] };
}

let sequence = 0;

/** Adds an act to a view. Its signature is not what the rules look at: it was checked on arrival. */
export function give<N extends PredicateName>(
  view: RunView,
  name: N,
  site: string,
  slot: string,
  predicate: Predicate<N>,
  receivedMs = 0,
): void {
  const digest = sha256Hex(statementBytes(name, predicate));
  view.acts.add([
    { sequence: ++sequence, digest, run: view.run.run, name, site, slot, envelope: signStatement(name, predicate, signer), receivedMs },
  ]);
}

/** Adds an act of the operator. */
export function giveByOperator<N extends PredicateName>(
  view: RunView,
  name: N,
  slot: string,
  predicate: Predicate<N>,
  receivedMs = 0,
): void {
  give(view, name, OPERATOR, slot, predicate, receivedMs);
}

export function giveNonce(view: RunView, site: string, attempt = 1): void {
  const round = view.rounds[0]!;
  const { run, sum, i, kind } = round;
  give(view, 'nonce', site, `${sum}/${attempt}`, {
    consortium: CONSORTIUM,
    run,
    e: E,
    kind,
    sum,
    i,
    attempt,
    site,
    nonce: sha256Hex(Buffer.from(`${site} ${attempt}`)),
  });
}

export function decline(view: RunView, site: string, reason: 'nonce-lost' | 'no-data', attempt = 1): void {
  const { run, sum, kind } = view.rounds[0]!;
  give(view, 'attempt-declined', site, `${sum}/${attempt}`, { consortium: CONSORTIUM, run, e: E, kind, sum, attempt, site, reason });
}

export function attest(view: RunView, site: string, receivedMs: number): void {
  const { run, sum, kind } = view.rounds[0]!;
  const digest = 'c'.repeat(64);
  const sums = [{ sum, k: digest, t: digest, set: digest, modelIn: 'none' as const }];
  give(view, 'attestation', site, `${sum}`, { consortium: CONSORTIUM, run, epoch: 1, e: E, kind, site, sums }, receivedMs);
}
