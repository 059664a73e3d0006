import { holderPoint, type Plan, parsePlan, planAggregation, planDigest, resolveQuorum, rosterFingerprint } from '@coferment/consortium';
import { parse } from 'yaml';

/** The smallest model there is, so that a load is about agents and not about arithmetic. */
export function loadPlanText(agents: number, rounds: number): string {
  return `schema: 1
plan: load
sample: { of: [temperature], summarise: [last] }
target: { variable: product_concentration }
normalisation: none
model: { kind: linear }
training: { initialRange: 1 }
rounds: ${rounds}
quorum: { minContributors: ${fewestContributors(agents)}, absentAfterPolls: 3, deadline: 5 min }
privacy: { keyHolders: 5, threshold: 4, collusionBound: 2 }
`;
}

export const fewestContributors = (agents: number): number => Math.max(4, Math.floor(agents * 0.6));

export interface LoadAgreement {
  plan: string;
  fingerprint: string;
  holders: string[];
  /** So many holders may be away while sums are opened. */
  spareHolders: number;
}

/** What the sites agree on outside of the network, computed from plan and identity keys. */
export function agreementOf(planText: string, identityKeys: ReadonlyMap<string, string>): LoadAgreement {
  const plan: Plan = parsePlan(parse(planText));
  const sites = [...identityKeys].map(([site, identityKey]) => ({ site, identityKey })).sort((a, b) => (a.site < b.site ? -1 : 1));
  const numbers = resolveQuorum(plan, sites.length);
  const keyHolders = sites.slice(0, numbers.m).map(({ site }, position) => ({ site, point: holderPoint(position) }));
  const { n, m, tau } = numbers;
  const parameters = planAggregation({ sites: n, keyHolders: m, threshold: tau, valueBits: plan.quantisation.valueBits });
  return {
    plan: planDigest(plan),
    fingerprint: rosterFingerprint({ sites, keyHolders, numbers, parameters, leftOut: [] }),
    holders: keyHolders.map(({ site }) => site),
    spareHolders: m - tau,
  };
}
