import {
  checkFreeze,
  checkNonceList,
  epochSites,
  firstSumOf,
  type FrozenSet,
  inputContext,
  maximumSum,
  type NonceEntry,
  roundContext,
  type StrategyState,
  type SumPosition,
  sumInput,
  vectorShape,
} from '@coferment/consortium';
import { blockCount, coefficientCount, type VectorShape } from '@coferment/crypto';
import { AgentError, type AgentErrorCode } from '../agent.error.js';
import type { FrozenSum, SumName } from '../connection/instruction.parser.js';
import type { RunProgress } from '../journal/models.repository.js';
import type { EpochFacts } from './run.facts.js';

/** Most encryption attempts at one sum that a site takes part in. */
const MAX_ATTEMPTS = 1000;

/** Everything about a sum, rebuilt by this site from the plan and from the sums it has applied (secure-aggregation.md R1). */
export interface SumFacts {
  name: SumName;
  position: SumPosition;
  modelIn: string;
  ranges: string;
  i: string;
  shape: VectorShape;
  blocks: number;
  /** Coefficients in use: what an upload, a share and the published sum carry. */
  coefficients: number;
  /** The one site of a confirm sum. */
  confirms: string | null;
  /** The state this sum starts from; null for confirm and statistics. */
  state: StrategyState | null;
}

/** `past`: this site has applied it. `ahead`: earlier sums have to be applied first. */
export type SumTiming = 'due' | 'past' | 'ahead';

/** Where a named sum stands in the course of the run. Throws where no honest coordinator could name it so. */
export function timingOf(name: SumName, facts: EpochFacts, progress: RunProgress): SumTiming {
  const { plan, roster } = facts;
  const first = firstSumOf(roster);
  const firstAfterConfirms = first + epochSites(roster).length;
  const { n } = roster.numbers;
  const most = maximumSum({ sites: n, epochs: name.epoch, rounds: plan.rounds, retries: plan.rounds });
  if (name.sum > most) throw mismatch('sum-beyond-maximum', name, `a run of this plan has at most ${most} sums`);
  if (name.attempt > MAX_ATTEMPTS) throw mismatch('attempt-beyond-maximum', name, `at most ${MAX_ATTEMPTS} attempts are made`);
  if (name.sum < first || (name.kind === 'confirm') !== name.sum < firstAfterConfirms)
    throw mismatch(
      'wrong-kind',
      name,
      `key epoch ${name.epoch} has its confirm sums, and only them, from ${first} to ${firstAfterConfirms - 1}`,
    );
  if ((name.kind === 'confirm' || name.kind === 'statistics') && name.round !== 0)
    throw mismatch('wrong-round', name, 'it belongs to no training round');
  if (name.kind === 'update' && (name.round < 1 || name.round > plan.rounds))
    throw mismatch('wrong-round', name, `the plan has ${plan.rounds} rounds`);
  if (name.kind === 'evaluate' && name.round !== plan.rounds)
    throw mismatch('wrong-round', name, `only the model after the last round, ${plan.rounds}, is evaluated`);
  if (name.sum <= progress.appliedSum) return 'past';
  const done = progress.state?.round ?? -1;
  const confirmed = progress.appliedSum >= firstAfterConfirms - 1;
  switch (name.kind) {
    case 'confirm':
      return 'due';
    case 'statistics':
      if (progress.state !== null) throw mismatch('wrong-kind', name, 'this run has its statistics already');
      return confirmed ? 'due' : 'ahead';
    case 'update':
      if (name.round <= done) throw mismatch('wrong-round', name, `this site has applied round ${done} already`);
      return confirmed && name.round === done + 1 ? 'due' : 'ahead';
    case 'evaluate':
      // From the last model no update is ever made, so the holdout sums of this sum and of the updates are never over one model.
      return confirmed && done === plan.rounds ? 'due' : 'ahead';
  }
}

/** Confirm sums are prepared and attested together, but each is verified by itself: applying the last one must not pass over the others. */
export function applicationTiming(name: SumName, facts: EpochFacts, progress: RunProgress): SumTiming {
  const timing = timingOf(name, facts, progress);
  if (timing !== 'due' || name.kind !== 'confirm') return timing;
  // The first of an epoch comes after whatever number the epoch before had reached.
  const isNext = name.sum === firstSumOf(facts.roster) || name.sum === progress.appliedSum + 1;
  return isNext ? 'due' : 'ahead';
}

/** Rebuilds I and all its parts. @throws AgentError 'not-approved' before this site has signed the key epoch */
export function rebuildSum(name: SumName, facts: EpochFacts, progress: RunProgress): SumFacts {
  const { plan, parameters, roster } = facts;
  if (facts.e === null)
    throw new AgentError(
      'not-approved',
      `This site has not signed epoch ${name.epoch} of ${name.run}; nothing is encrypted or opened in it.`,
    );
  const fromModel = name.kind === 'update' || name.kind === 'evaluate';
  const state = fromModel ? progress.state : null;
  if (fromModel && state === null) throw mismatch('out-of-order', name, 'this site has not applied the statistics sum');
  const input = sumInput(plan, name.kind, state);
  const shape = vectorShape(plan, name.kind);
  const { consortium } = facts.position;
  return {
    name,
    position: { consortium, run: name.run, epoch: name.epoch, e: facts.e, kind: name.kind, sum: name.sum, attempt: name.attempt },
    modelIn: input.modelIn,
    ranges: input.ranges,
    i: inputContext(input),
    shape,
    blocks: blockCount(shape, parameters),
    coefficients: coefficientCount(shape, parameters),
    confirms: name.kind === 'confirm' ? (epochSites(roster)[name.sum - firstSumOf(roster)] ?? null) : null,
    state,
  };
}

/** K, after the list is checked. With `own`, this site's nonce must be in it exactly once under its own id. */
export function rebuildK(sum: SumFacts, facts: EpochFacts, nonces: readonly NonceEntry[], own?: { site: string; nonce: string }): string {
  checkNonceList(facts.roster, nonces, own);
  const { e, sum: number, attempt } = sum.position;
  if (sum.confirms === null) {
    const { minContributors } = facts.roster.numbers;
    if (nonces.length < minContributors)
      throw mismatch('list-too-short', sum.name, `its nonce list has ${nonces.length} sites; the plan requires ${minContributors}`);
  } else if (nonces.length !== 1 || nonces[0]?.site !== sum.confirms) {
    throw mismatch('confirm-list', sum.name, `its nonce list must hold "${sum.confirms}" alone`);
  }
  return roundContext({ e, i: sum.i, sum: number, attempt, nonces });
}

export interface RebuiltFreeze {
  k: string;
  frozen: FrozenSet;
}

/** K, A and T of a frozen sum, rebuilt from their parts; every upload signature is checked under this K (R5). */
export function rebuildFreeze(sum: SumFacts, facts: EpochFacts, frozen: FrozenSum): RebuiltFreeze {
  const k = rebuildK(sum, facts, frozen.nonces);
  const { roster, parameters } = facts;
  const { minContributors } = roster.numbers;
  const set = checkFreeze({
    roster,
    position: sum.position,
    k,
    nonces: frozen.nonces,
    minContributors,
    contributions: frozen.contributions,
  });
  for (const { predicate } of set.contributions) {
    const asAgreed = predicate.blocks === sum.blocks && predicate.droppedBits === parameters.droppedBits && predicate.ranges === sum.ranges;
    if (!asAgreed)
      throw mismatch('upload-format', sum.name, `the upload of "${predicate.site}" was made with other blocks, dropped bits or ranges`);
  }
  return { k, frozen: set };
}

function mismatch(code: AgentErrorCode, name: SumName, reason: string): AgentError {
  return new AgentError(
    code,
    `Sum ${name.sum} (${name.kind}, attempt ${name.attempt}) of ${name.run} is refused: ${reason}. Nothing was signed or sent.`,
  );
}
