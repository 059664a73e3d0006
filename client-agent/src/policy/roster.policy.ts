import {
  checkSealingKeys,
  holderPoint,
  type Plan,
  planAggregation,
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
  own: { site: string; identityKey: Uint8Array; sealingKey: Uint8Array };
}

/**
 * Everything about a roster that a machine can check: it is for the approved sites, each sealing key is signed for this run and epoch, this site
 * stands in it with its own keys, and every number is the one that plan and site count give. Who the other identity keys belong
 * to is for people: the fingerprint that is returned goes to them.
 * @throws AgentError 'roster-sites', 'roster-own-key', 'roster-rules', 'roster-left-out', ConsortiumError 'invalid-roster'
 */
export function checkRosterFor(roster: Roster, expected: RosterExpectation): string {
  const { own, plan } = expected;
  const ids = roster.sites.map((member) => member.site);
  if (ids.join() !== expected.sites.join())
    throw refuse('roster-sites', `it is for the sites ${ids.join(', ')}; this run was approved for ${expected.sites.join(', ')}`);
  checkSealingKeys(roster, { consortium: expected.consortium, run: expected.run, epoch: expected.epoch });
  const me = roster.sites.find((member) => member.site === own.site);
  if (me?.identityKey !== bytesToHex(own.identityKey)) throw refuse('roster-own-key', 'it has another identity key for this site');
  const sealing = roster.sealingKeys.find((entry) => entry.site === own.site);
  if (sealing?.key !== bytesToHex(own.sealingKey)) throw refuse('roster-own-key', 'it has another sealing key for this site');
  const numbers = resolveQuorum(plan, ids.length);
  requireSame('numbers', roster.numbers, numbers);
  requireSame('parameters', roster.parameters, planParameters(plan, ids.length));
  const holders = ids.slice(0, numbers.m).map((site, position) => ({ site, point: holderPoint(position) }));
  requireSame('keyHolders', roster.keyHolders, holders);
  if (roster.leftOut.length > 0 && expected.epoch === 1)
    throw refuse('roster-left-out', `it leaves out ${roster.leftOut.join(', ')} in its first key epoch`);
  return rosterFingerprint(roster);
}

/** What stands behind a fingerprint, in words: whoever approves it must see for whom and against how many. */
export function describeMembers({ sites, numbers }: Roster): string {
  const names = sites.map(({ site }) => site).join(', ');
  return `sites ${names}; safe while at most c = ${numbers.c} of them work together with the operator; every sum is over at least ${numbers.minContributors} sites`;
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
