import type { Instruction } from '@coferment/proto';
import { toWire } from '../agent-port/envelope.codec.js';
import { owedInEpoch, owedToLeftOut } from '../epochs/owed-in-epoch.js';
import { OPERATOR } from '../runs/act.entity.js';
import { type RunView, closedRounds, isOver, openRounds, present, sitesOf } from '../runs/run.view.js';
import { newestProposal } from '../runs/new-set.rule.js';
import { stuckAt } from '../runs/shortfall.rule.js';
import { slots } from '../runs/slot.names.js';
import { stuckRounds } from '../runs/stuck.steps.js';
import { keptInstruction } from './kept.instructions.js';
import type { RoundRow } from './round.entity.js';
import { declinedSites } from './round.participants.js';
import { frozenSum, sumName } from './wire-sum.js';

/** A site that was away catches up in steps, so that no answer grows without bound. */
const MOST_SUMS_AT_ONCE = 4;

/** How far a site has followed a run, by its own word. */
export interface SitePosition {
  /** The last sum that it has applied. */
  appliedSum: number;
  /** The newest key epoch of which it knows E. */
  epoch: number;
}

export const START: SitePosition = { appliedSum: 0, epoch: 0 };

/** What a site owes in a run: a pure function of what is stored, so it is the same after every restart and any replica can answer. */
export function owedInstructions(view: RunView, site: string, { appliedSum, epoch: knownEpoch }: SitePosition): Instruction[] {
  // A site that had not approved in time is told the end of the run, and nothing else of it.
  if (!view.run.sites.includes(site)) return view.run.notApproved.includes(site) && isOver(view) ? [closeRun(view)] : [];
  // Whoever is left out of an epoch signs nothing in its ceremony; sums of the epoch mean nothing to it before it knows E.
  const isLeftOut = view.epoch.roster.leftOut.includes(site);
  const behind = closedRounds(view).filter((round) => round.sum > appliedSum && (!isLeftOut || round.epoch <= knownEpoch));
  const owed = behind.slice(0, MOST_SUMS_AT_ONCE).map((round) => applySum(view, round));
  // Later sums start from the model that the earlier ones give.
  if (behind.length > MOST_SUMS_AT_ONCE) return owed;
  if (isOver(view)) return [...owed, closeRun(view)];
  if (view.run.state === 'paused') return owed;
  // It may be the one that is waited for.
  if (view.run.state === 'stuck' && isLeftOut && view.epoch.e !== null && knownEpoch < view.epoch.epoch)
    return [...owed, ...owedToLeftOut(view, site)];
  if (view.run.state === 'stuck') return [...owed, ...(behind.length === 0 ? owedWhileStuck(view, site) : [])];
  if (isLeftOut && knownEpoch < view.epoch.epoch) return [...owed, ...owedToLeftOut(view, site)];
  return [...owed, ...owedInEpoch(view, site), ...owedInRounds(view, site)];
}

/** A run that is stuck over somebody's absence still asks for what is missing, so that it can go on by itself; and for the approval of another set. */
function owedWhileStuck(view: RunView, site: string): Instruction[] {
  return stuckRounds(view).flatMap((round) => [...owedWhereItStopped(view, round, site), ...owedApproval(view, round, site)]);
}

function owedWhereItStopped(view: RunView, round: RoundRow, site: string): Instruction[] {
  switch (stuckAt(round)) {
    case 'collecting':
      return owedInRound(view, round, site);
    case 'attesting':
      return owedAttestation(view, [round], site);
    case 'decrypting':
      return owedShare(view, round, site);
    case 'garbled':
      return [];
  }
}

function owedApproval(view: RunView, round: RoundRow, site: string): Instruction[] {
  const proposal = newestProposal(view, round.sum);
  if (proposal === undefined || !proposal.predicate.approvers.includes(site) || view.acts.has('new-set-approved', site, proposal.slot))
    return [];
  return [
    ...owedBeforeThird(view, round, site),
    { kind: { $case: 'approveNewSet', approveNewSet: { run: view.run.run, proposal: toWire(proposal.envelope) } } },
  ];
}

/** A third set starts from the second: whoever signed the first and was away when the second was signed binds itself to that before it can approve. */
function owedBeforeThird(view: RunView, round: RoundRow, site: string): Instruction[] {
  const wasSigned = round.newSet !== null && round.t !== null && stuckAt(round) !== 'attesting';
  return wasSigned ? owedAttestation(view, [round], site) : [];
}

function owedShare(view: RunView, round: RoundRow, site: string): Instruction[] {
  const asked =
    view.epoch.roster.keyHolders.some((holder) => holder.site === site) && !view.acts.has('share', site, slots.ofSum(round.sum));
  return asked ? [release(view, round)] : [];
}

function owedAttestation(view: RunView, attesting: readonly RoundRow[], site: string): Instruction[] {
  const [first] = attesting;
  if (first === undefined || view.acts.has('attestation', site, slots.ofAttestation(first.kind, first.epoch, first.sum))) return [];
  return [attestation(view, attesting)];
}

function owedInRounds(view: RunView, site: string): Instruction[] {
  const rounds = openRounds(view);
  const attesting = rounds.filter((round) => round.state === 'attesting');
  const owed = boundShares(rounds.flatMap((round) => owedInRound(view, round, site)));
  return [...owed, ...owedAttestation(view, attesting, site)];
}

/** What is frozen stays so in its attempt. */
function attestation(view: RunView, rounds: readonly RoundRow[]): Instruction {
  const key = `attest ${rounds.map(({ sum, attempt }) => `${sum}/${attempt}`).join()}`;
  return keptInstruction(view, key, () => ({ kind: { $case: 'attest', attest: { sums: rounds.map((round) => frozenSum(view, round)) } } }));
}

/** Each comes with its certificate: those of a hundred confirm sums at once would be more than a site takes in one answer. */
function boundShares(owed: readonly Instruction[]): Instruction[] {
  let shares = 0;
  return owed.filter(({ kind }) => kind?.$case !== 'releaseShare' || ++shares <= MOST_SUMS_AT_ONCE);
}

function owedInRound(view: RunView, round: RoundRow, site: string): Instruction[] {
  const slot = slots.ofAttempt(round.sum, round.attempt);
  switch (round.state) {
    case 'training':
    case 'ready':
    case 'stalled': {
      const asked = sitesOf(view, round).includes(site) && !view.acts.has('nonce', site, slot) && !declinedSites(view, round).has(site);
      return asked ? [{ kind: { $case: 'prepareSum', prepareSum: { name: sumName(round) } } }] : [];
    }
    case 'uploading': {
      const listed = round.nonces.some((entry) => entry.site === site);
      if (!listed || view.acts.has('contribution', site, slot) || declinedSites(view, round).has(site)) return [];
      return [{ kind: { $case: 'encrypt', encrypt: { name: sumName(round), nonces: round.nonces } } }];
    }
    case 'decrypting':
    case 'garbled':
      return owedShare(view, round, site);
    // Attestation is asked for once for all sums; in the other states the coordinator has the next step.
    case 'attesting':
    case 'frozen':
    case 'applying':
    case 'closed':
    case 'abandoned':
    case 'stuck':
    case 'superseded':
      return [];
  }
}

function release(view: RunView, round: RoundRow): Instruction {
  const { sum, attempt, certificate } = round;
  return keptInstruction(view, `release ${sum}/${attempt} ${certificate.join()}`, () => ({
    kind: { $case: 'releaseShare', releaseShare: { frozen: frozenSum(view, round), certificate: certificateOf(view, round) } },
  }));
}

function certificateOf(view: RunView, round: RoundRow) {
  const slot = slots.ofAttestation(round.kind, round.epoch, round.sum);
  const certificate = new Set(round.certificate);
  return view.acts.inSlot('attestation', slot).flatMap((act) => (certificate.has(act.digest) ? [toWire(act.envelope)] : []));
}

/** Of a sum that is closed, so that nothing of it changes any more. */
function applySum(view: RunView, round: RoundRow): Instruction {
  return keptInstruction(view, `apply ${round.sum}`, () => application(view, round));
}

function application(view: RunView, round: RoundRow): Instruction {
  const aggregate = present(view.acts.find('aggregate', OPERATOR, slots.ofSum(round.sum)), 'an aggregate');
  const used = new Set(aggregate.predicate.shares.map((entry) => entry['share']));
  const shares = view.acts.inSlot('share', slots.ofSum(round.sum)).filter((act) => used.has(act.digest));
  const applied = {
    frozen: frozenSum(view, round),
    certificate: certificateOf(view, round),
    shares: shares.map((act) => toWire(act.envelope)),
    aggregate: toWire(aggregate.envelope),
  };
  return { kind: { $case: 'applySum', applySum: applied } };
}

function closeRun(view: RunView): Instruction {
  const closing = present(view.acts.find('run-closed', OPERATOR, slots.ofRun()), 'a closing');
  return { kind: { $case: 'closeRun', closeRun: { run: view.run.run, closing: toWire(closing.envelope) } } };
}
