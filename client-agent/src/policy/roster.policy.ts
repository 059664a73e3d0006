import {
  checkSealingKeys,
  epochSites,
  firstSumOf,
  holderPoint,
  maximumSum,
  type Plan,
  planAggregation,
  type QuorumNumbers,
  requireEnoughMembers,
  resolveQuorum,
  type Roster,
  rosterFingerprint,
} from '@coferment/consortium';
import { type AggregationParameters, bytesToHex } from '@coferment/crypto';
import { AgentError, type AgentErrorCode } from '../agent.error.js';

/** Largest roster that is read: 128 sites with one signed sealing key each. */
export const MAX_ROSTER_BYTES = 1_048_576;

export interface RosterExpectation {
  consortium: string;
  run: string;
  epoch: number;
  plan: Plan;
  /** The sites for which this run was approved, sorted. */
  sites: readonly string[];
  /** For the first roster that this site sees in the run: it may be for some of these sites only. */
  mayBeFewer?: boolean;
  own: { site: string; identityKey: Uint8Array; sealingKey: Uint8Array | undefined };
  /** The last roster of this run that this site has approved, if any. */
  before: Roster | undefined;
  /** The largest number of a sum that this site has signed, encrypted or applied in this run; 0 for none. */
  largestSum: number;
}

/**
 * Everything about a roster that a machine can check: it is for the approved sites, or the first is for those of them that had approved in time; each
 * sealing key is signed for this run and epoch, this site stands in it with its own keys, and every number is the one that plan and site count give, in
 * every key epoch of the run: with a ρ of its own a smaller roster could certify a second set for one model. Who the identity keys belong to, and who is
 * missing, is for people: the fingerprint that is returned goes to them.
 * @throws AgentError 'roster-sites', 'roster-own-key', 'roster-identity', 'roster-rules', 'roster-left-out', 'roster-first-sum', ConsortiumError
 * 'invalid-roster', 'impossible-quorum'
 */
export function checkRosterFor(roster: Roster, expected: RosterExpectation): string {
  const { own, plan } = expected;
  const ids = roster.sites.map((member) => member.site);
  requireApprovedSites(ids, expected);
  checkSealingKeys(roster, { consortium: expected.consortium, run: expected.run, epoch: expected.epoch });
  const me = roster.sites.find((member) => member.site === own.site);
  if (me?.identityKey !== bytesToHex(own.identityKey)) throw refuse('roster-own-key', 'it has another identity key for this site');
  const sealing = roster.sealingKeys.find((entry) => entry.site === own.site);
  if (sealing?.key !== (own.sealingKey === undefined ? undefined : bytesToHex(own.sealingKey)))
    throw refuse('roster-own-key', 'it has another sealing key for this site');
  const first = resolveQuorum(plan, ids.length);
  if (expected.epoch === 1) checkFirstEpoch(roster, plan, first);
  else checkLaterEpoch(roster, expected, first);
  return rosterFingerprint(roster);
}

/**
 * The first roster settles for life who is in the run: each later one has exactly its sites, so that there is one n, and one ρ, to count certificates by.
 * It may be for fewer sites than were asked, never for others; whether so many are enough is what the numbers for exactly so many say (decision 8).
 */
function requireApprovedSites(ids: readonly string[], { sites, mayBeFewer = false, before }: RosterExpectation): void {
  const settled = before?.sites.map((member) => member.site) ?? sites;
  if (mayBeFewer && before === undefined ? ids.every((site) => settled.includes(site)) : ids.join() === settled.join()) return;
  const given = before === undefined ? 'this run was approved for' : 'the first roster of this run has';
  throw refuse('roster-sites', `it is for the sites ${ids.join(', ')}; ${given} ${settled.join(', ')}`);
}

function checkFirstEpoch(roster: Roster, plan: Plan, first: QuorumNumbers): void {
  requireSame('numbers', roster.numbers, first);
  requireSame('parameters', roster.parameters, planParameters(plan, first.n));
  const holders = roster.sites.slice(0, first.m).map(({ site }, position) => ({ site, point: holderPoint(position) }));
  requireSame('keyHolders', roster.keyHolders, holders);
  if (roster.leftOut.length > 0) throw refuse('roster-left-out', `it leaves out ${roster.leftOut.join(', ')} in its first key epoch`);
  requireSame('first sum', firstSumOf(roster), 1);
}

/** Holders may be fewer than in the first epoch, never fewer than τ; all other numbers stay, and so does the packing of stored vectors. */
function checkLaterEpoch(roster: Roster, expected: RosterExpectation, first: QuorumNumbers): void {
  const { plan, before, largestSum, epoch } = expected;
  const { m } = roster.numbers;
  if (m > first.m || m < first.tau)
    throw refuse('roster-rules', `it has ${m} key holders; there must be from τ = ${first.tau} to ${first.m}`);
  requireSame('numbers', roster.numbers, { ...first, m });
  const valueBits = plan.quantisation.valueBits;
  requireSame('parameters', roster.parameters, planAggregation({ sites: first.n, keyHolders: m, threshold: first.tau, valueBits }));
  requireSame('packing', packingOf(roster.parameters), packingOf(planParameters(plan, first.n)));
  requireEnoughMembers(roster);
  const identities = JSON.stringify(roster.sites);
  if (before !== undefined && JSON.stringify(before.sites) !== identities)
    throw refuse('roster-identity', 'it has another identity key for a site than the one that was approved for this run');
  const most = maximumSum({ sites: first.n, epochs: epoch, rounds: plan.rounds, retries: plan.rounds });
  const sum = firstSumOf(roster);
  if (sum <= largestSum || sum + epochSites(roster).length > most)
    throw refuse(
      'roster-first-sum',
      `its sums start at ${sum}; they must come after sum ${largestSum}, the last one here, and stay below ${most}`,
    );
}

function packingOf({ set, digitsPerCoefficient, digitBits, valueBits }: AggregationParameters) {
  return { set, digitsPerCoefficient, digitBits, valueBits };
}

/** The encryption parameters of a plan among so many sites, recomputed here: weaker ones from outside are refused. */
export function planParameters(plan: Plan, sites: number): AggregationParameters {
  const { n, m, tau } = resolveQuorum(plan, sites);
  return planAggregation({ sites: n, keyHolders: m, threshold: tau, valueBits: plan.quantisation.valueBits });
}

function requireSame(what: string, given: unknown, computed: unknown): void {
  const stable = (value: unknown) => JSON.stringify(value, sortKeys);
  if (stable(given) !== stable(computed))
    throw refuse('roster-rules', `its ${what} are ${stable(given)}; plan and site count give ${stable(computed)}`);
}

function sortKeys(_key: string, value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)));
}

function refuse(code: AgentErrorCode, reason: string): AgentError {
  return new AgentError(code, `The roster is refused: ${reason}. Nothing was signed; call the operator.`);
}
