import { type Plan, type Roster, holderPoint, planAggregation, requireListable, resolveQuorum } from '@coferment/consortium';

export interface Member {
  site: string;
  identityKey: string;
}

/**
 * The roster of a run's first key epoch, without sealing keys. Every site computes the same from the plan and the identity keys, so its fingerprint can be
 * compared before anything is signed. @throws ConsortiumError 'impossible-quorum', ConsortiumBudgetError
 */
export function firstRoster(plan: Plan, members: readonly Member[]): Roster {
  const sites = members.map(({ site, identityKey }) => ({ site, identityKey })).sort((a, b) => (a.site < b.site ? -1 : 1));
  requireListable(sites.length);
  const numbers = resolveQuorum(plan, sites.length);
  const keyHolders = sites.slice(0, numbers.m).map(({ site }, position) => ({ site, point: holderPoint(position) }));
  const { valueBits } = plan.quantisation;
  const parameters = planAggregation({ sites: numbers.n, keyHolders: numbers.m, threshold: numbers.tau, valueBits });
  return { sites, keyHolders, numbers, parameters, leftOut: [], sealingKeys: [] };
}
