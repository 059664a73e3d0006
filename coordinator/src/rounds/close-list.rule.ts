import type { ExclusionReason, NonceEntry, Plan } from '@coferment/consortium';

/** What is known when a list of nonces may close. */
export interface ListState {
  sites: readonly string[];
  /** In site order. */
  nonces: readonly NonceEntry[];
  declined: ReadonlySet<string>;
  absent: ReadonlySet<string>;
  /** Not waited for as long as there are enough others. */
  setAside: ReadonlySet<string>;
  minContributors: number;
  pastDeadline: boolean;
}

export type ListDecision =
  | { kind: 'wait' }
  | { kind: 'close'; excluded: { site: string; reason: ExclusionReason }[] }
  | { kind: 'abandon'; excluded: { site: string; reason: ExclusionReason }[] };

/**
 * R2: the list closes when everybody has a nonce who is there, has not declined and is not set aside, or when the plan's number of sites is reached, or at the deadline if
 * the plan says so. Below minContributors it never closes: it waits, visibly, or the round is given up.
 */
export function decideList(quorum: Pick<Plan['quorum'], 'waitFor' | 'onDeadline'>, state: ListState): ListDecision {
  const { sites, nonces, declined, absent, setAside, minContributors, pastDeadline } = state;
  const ready = new Set(nonces.map((entry) => entry.site));
  const missing = sites.filter((site) => !ready.has(site));
  const excluded = missing.map((site) => ({ site, reason: reasonWithoutNonce(site, state) }));
  const enough = ready.size >= minContributors;
  const nobodyToWaitFor = missing.every((site) => declined.has(site) || absent.has(site) || setAside.has(site));
  const asManyAsPlanned = quorum.waitFor !== 'all' && ready.size >= quorum.waitFor;
  if (enough && (nobodyToWaitFor || asManyAsPlanned)) return { kind: 'close', excluded };
  if (!pastDeadline) return { kind: 'wait' };
  switch (quorum.onDeadline) {
    case 'proceed-with-quorum':
      return enough ? { kind: 'close', excluded } : { kind: 'wait' };
    case 'wait':
      return { kind: 'wait' };
    case 'abandon':
      return { kind: 'abandon', excluded };
  }
}

function reasonWithoutNonce(site: string, { declined, absent, setAside }: ListState): ExclusionReason {
  if (declined.has(site)) return 'refused';
  if (setAside.has(site)) return 'set-aside';
  return absent.has(site) ? 'absent' : 'late';
}
