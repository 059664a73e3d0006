import { type SumKind, concernedSites, epochSites, maximumSum, setDifference } from '@coferment/consortium';
import type { RoundRow } from '../rounds/round.entity.js';
import { CoordinatorError } from '../errors/index.js';
import { OPERATOR } from './act.entity.js';
import type { Act } from './act.index.js';
import { type RunView, isOver, nextSumNumber } from './run.view.js';
import { slots } from './slot.names.js';
import { stickySet } from './unfinished.sum.js';

type Proposal = Act<'new-set-proposed'>;

/** The newest proposal of another set for a sum, which is the one that counts. */
export function newestProposal(view: RunView, sum: number): Proposal | undefined {
  const number = proposalsOf(view, sum);
  return number === 0 ? undefined : view.acts.find('new-set-proposed', OPERATOR, slots.ofProposal(sum, number));
}

/** How many were made for a sum. */
export function proposalsOf(view: RunView, sum: number): number {
  let number = 0;
  while (view.acts.has('new-set-proposed', OPERATOR, slots.ofProposal(sum, number + 1))) number++;
  return number;
}

export function approvalsOf(view: RunView, { slot }: Pick<Proposal, 'slot'>): Act<'new-set-approved'>[] {
  return view.acts.inSlot('new-set-approved', slot);
}

/** The proposal that everybody concerned has approved. Whoever has signed the first set since it was made is concerned too. */
export function approvedProposal(view: RunView, round: RoundRow): { slot: string; after: string[] } | undefined {
  const proposal = newestProposal(view, round.sum);
  if (proposal === undefined) return undefined;
  const { approvers, after } = proposal.predicate;
  const approved = new Set(approvalsOf(view, proposal).map(({ site }) => site));
  const complete =
    approvers.every((site) => approved.has(site)) && neededApprovers(view, round, after).every((site) => approvers.includes(site));
  return complete ? { slot: proposal.slot, after } : undefined;
}

/**
 * Everybody in the difference to any set that was fixed for this model in this run, everybody in any of three that were frozen, and every signer of one of these: who has attested it or released a share
 * of it. The statistics of a consortium are summed over one set in all its runs, so there all sites may have signed.
 */
export function neededApprovers(view: RunView, round: RoundRow, after: readonly string[]): string[] {
  if (round.kind === 'statistics') return view.run.sites.toSorted();
  const sums = view.rounds.filter(({ kind, modelIn }) => kind === round.kind && modelIn === round.modelIn);
  const sets = sums.flatMap((sum) => [stickySet(sum)]).filter((set) => set !== null);
  const frozen = sums.flatMap(({ t, counted }) => (t === null ? [] : [counted]));
  const signers = sums.flatMap(({ kind, epoch, sum }) => [
    ...view.acts.inSlot('attestation', slots.ofAttestation(kind, epoch, sum)),
    ...view.acts.inSlot('share', slots.ofSum(sum)),
  ]);
  const concerned = [...sets.flatMap((set) => setDifference(set, after)), ...concernedSites(frozen, after)];
  return [...new Set([...concerned, ...signers.map(({ site }) => site)])].sort();
}

export interface StoppedSum {
  round: RoundRow;
  /** The set that was frozen last for this model. Another one that was approved and never came to its freeze was signed by nobody. */
  before: string[];
  /** T of the sum that fixed `before`. */
  t: string;
}

/** The sum that another set can be proposed for. @throws CoordinatorError 'run-over', 'no-new-set' */
export function requireStopped(view: RunView, sum: number): StoppedSum {
  const { run, state } = view.run;
  if (isOver(view)) throw new CoordinatorError('run-over', `Run ${run} is ${state}; no set is opened in it. Launch a new run.`);
  const round = view.rounds.find((candidate) => candidate.sum === sum);
  if (round === undefined || (round.state !== 'stuck' && round.state !== 'stalled'))
    throw noNewSet(
      `sum ${sum} of run ${run} is ${round === undefined ? 'not there' : `"${round.state}"`}, and only a sum that is stuck gets another set`,
    );
  if (round.kind === 'confirm')
    throw noNewSet(
      `sum ${sum} confirms the key of "${round.confirms}" and is over that site alone. Start a new key epoch: coferment epochs renew ${run}`,
    );
  const frozen = view.rounds.findLast(({ t, kind, modelIn }) => t !== null && kind === round.kind && modelIn === round.modelIn);
  if (frozen === undefined || frozen.t === null) throw noNewSet(`no set was frozen for sum ${sum}`);
  return { round, before: frozen.counted.toSorted(), t: frozen.t };
}

/** @throws CoordinatorError 'no-new-set' */
export function requirePossibleSet(view: RunView, { round, before }: StoppedSum, sites: readonly string[]): string[] {
  const after = [...new Set(sites)].sort();
  const { roster } = view.epoch;
  const outside = after.filter((site) => !epochSites(roster).includes(site));
  if (outside.length > 0)
    throw noNewSet(`${outside.join(', ')} takes no part in key epoch ${view.epoch.epoch}. Its sites: ${epochSites(roster).join(', ')}`);
  const { minContributors } = roster.numbers;
  if (after.length < minContributors) throw noNewSet(`${after.length} sites were named, and the plan requires ${minContributors}`);
  if (after.join() === stickySet(round)?.toSorted().join())
    throw noNewSet(`${after.join(', ')} is the set that sum ${round.sum} is over already`);
  if (after.join() === before.join())
    throw noNewSet(`${after.join(', ')} is the set that another one was approved for, and there is no way back to it`);
  requireNumbersLeft(view, round);
  return after;
}

/** Every site refuses a sum beyond the largest number that the plan allows: a set that leads there would be approved in vain. */
function requireNumbersLeft(view: RunView, { kind, round }: RoundRow): void {
  const { plan, epoch } = view;
  const { rounds } = plan;
  const most = maximumSum({ sites: epoch.roster.numbers.n, epochs: epoch.epoch, rounds, retries: rounds });
  const last = nextSumNumber(view) + (kind === 'evaluate' ? 0 : rounds - round + 1);
  if (last > most)
    throw noNewSet(
      `a run of this plan has at most ${most} sums in ${epoch.epoch} key epochs, and with one more it would need ${last}. Wait, start a new key epoch with the same set, or launch a new run`,
    );
}

export function noNewSet(reason: string): CoordinatorError {
  return new CoordinatorError('no-new-set', `No other set is opened: ${reason}. Nothing was changed.`);
}

/** What a second set would let people read. */
export const READABLE: Record<SumKind, string> = {
  confirm: 'key',
  statistics: 'statistics',
  update: 'update',
  evaluate: 'holdout figures',
};
