import { holderPoint, type Plan, planAggregation, planDigest, resolveQuorum, rosterFingerprint } from '@coferment/consortium';

export interface Agreement {
  /** Digest of the plan. */
  readonly plan: string;
  /** Fingerprint of the roster of the run's first key epoch. */
  readonly fingerprint: string;
}

/**
 * What the people of a real consortium compare over the telephone before they approve anything: computed from the plan file and from identity keys read
 * at each site. The coordinator is not asked, because it is the one that a false roster would come from.
 */
export function computeAgreement(plan: Plan, identityKeys: ReadonlyMap<string, string>): Agreement {
  const sites = [...identityKeys].map(([site, identityKey]) => ({ site, identityKey })).sort((a, b) => (a.site < b.site ? -1 : 1));
  const numbers = resolveQuorum(plan, sites.length);
  const keyHolders = sites.slice(0, numbers.m).map(({ site }, position) => ({ site, point: holderPoint(position) }));
  const parameters = planAggregation({
    sites: numbers.n,
    keyHolders: numbers.m,
    threshold: numbers.tau,
    valueBits: plan.quantisation.valueBits,
  });
  return { plan: planDigest(plan), fingerprint: rosterFingerprint({ sites, keyHolders, numbers, parameters, leftOut: [] }) };
}
