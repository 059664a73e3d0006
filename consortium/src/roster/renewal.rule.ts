import { planAggregation } from '../budget/index.js';
import { ConsortiumError } from '../errors/index.js';
import type { Plan } from '../plan/plan.schema.js';
import { resolveQuorum } from '../plan/quorum.rule.js';
import { type QuorumNumbers, type Roster, epochSites, holderPoint } from './roster.js';

/** So many key epochs a run may have: each member refuses more before it sizes anything by their number. */
export const MOST_EPOCHS = 100;

export interface Renewal {
  plan: Plan;
  /** The roster of the epoch before. */
  previous: Roster;
  /** Sites that take no further part: they neither deal, nor hold keys, nor contribute. They may still attest. */
  leaveOut: readonly string[];
  /** Key holders that go on as dealers and contributors only. */
  replaceHolders: readonly string[];
  /** Key holders of earlier epochs that were replaced: they do not come back. */
  formerHolders: readonly string[];
  /** Number of the new epoch's first sum. */
  firstSum: number;
}

/**
 * The roster of a later key epoch, without sealing keys. n, τ, c, ρ and minContributors stay those of the run's first roster: a smaller roster with a ρ
 * of its own could certify a second set for one model (secure-aggregation.md §2). A holder's place goes to the first site in order that holds
 * no key yet; where none is left there are fewer holders, never fewer than τ.
 * @throws ConsortiumError 'impossible-quorum' with the numbers, 'invalid-roster' for a change that is none
 */
export function renewRoster(renewal: Renewal): Roster {
  const { plan, previous, leaveOut, replaceHolders, firstSum } = renewal;
  const first = resolveQuorum(plan, previous.sites.length);
  requireChange(renewal);
  const leftOut = [...previous.leftOut, ...leaveOut].sort();
  const removed = new Set([...leftOut, ...replaceHolders]);
  const before = previous.keyHolders.map(({ site }) => site);
  const unused = new Set([...removed, ...renewal.formerHolders, ...before]);
  const candidates = previous.sites.map(({ site }) => site).filter((site) => !unused.has(site));
  const inPlace = before.flatMap((site) => (removed.has(site) ? (candidates.shift() ?? []) : site));
  const holders = [...inPlace, ...candidates].slice(0, first.m);
  const numbers = { ...first, m: holders.length };
  requireEnough(numbers, previous.sites.length - leftOut.length);
  const { sites } = previous;
  const { set } = previous.parameters;
  const { valueBits } = plan.quantisation;
  const parameters = planAggregation({ sites: numbers.n, keyHolders: numbers.m, threshold: numbers.tau, valueBits, set });
  const keyHolders = holders.map((site, position) => ({ site, point: holderPoint(position) }));
  return { sites, keyHolders, numbers, parameters, leftOut, sealingKeys: [], ...(firstSum === 1 ? {} : { firstSum }) };
}

/** Whether those who are left can agree, contribute and open. @throws ConsortiumError 'impossible-quorum' */
export function requireEnoughMembers(roster: Roster): void {
  requireEnough(roster.numbers, epochSites(roster).length);
}

function requireEnough({ m, tau, rho, minContributors }: QuorumNumbers, remaining: number): void {
  const short = [
    ...(m < tau ? [`${m} key holders of whom τ = ${tau} must open`] : []),
    ...(remaining < minContributors ? [`${remaining} sites of which minContributors = ${minContributors} must contribute`] : []),
    ...(remaining < rho ? [`${remaining} sites of which ρ = ${rho} must attest`] : []),
  ];
  if (short.length === 0) return;
  throw new ConsortiumError(
    'impossible-quorum',
    `A new key epoch is impossible: it would leave ${short.join(', and ')}. These numbers are those of the run's first roster and stay. Bring the member back, or launch a new run.`,
  );
}

function requireChange({ previous, leaveOut, replaceHolders }: Renewal): void {
  for (const site of leaveOut) {
    if (!previous.sites.some((member) => member.site === site)) throw refuse(`"${site}" is not one of its sites`);
    if (previous.leftOut.includes(site)) throw refuse(`"${site}" is left out already`);
  }
  for (const site of replaceHolders) {
    if (!previous.keyHolders.some((holder) => holder.site === site)) throw refuse(`"${site}" is not one of its key holders`);
  }
}

function refuse(reason: string): ConsortiumError {
  return new ConsortiumError('invalid-roster', `The roster cannot be renewed so: ${reason}. See who is in it: coferment run RUN`);
}
