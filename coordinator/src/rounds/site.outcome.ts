import type { ExclusionReason } from '@coferment/consortium';

/** `ready`: in a sum that was given up over others, it had done its part. */
export type OutcomeReason = ExclusionReason | 'ready';

/** What became of a site that a sum does not count. */
export interface SiteOutcome {
  site: string;
  reason: OutcomeReason;
  /** How it came to that, for people. */
  detail?: string;
  /** The others waited for it and it did not come: only that counts towards setting it aside. */
  waitedInVain?: boolean;
}

/** As the ledger and the operator's view show it. */
export interface ShownOutcome<R extends OutcomeReason = OutcomeReason> {
  site: string;
  reason: R;
  detail?: string;
}

export function shownOutcome({ site, reason, detail }: SiteOutcome): ShownOutcome {
  return { site, reason, ...(detail === undefined ? {} : { detail }) };
}

/** Of a sum that is frozen: there, whoever was ready is counted or has dropped out. @throws TypeError for a site that is called ready */
export function shownOfFrozen(outcomes: readonly SiteOutcome[]): ShownOutcome<ExclusionReason>[] {
  return outcomes.map(shownOutcome).map(({ reason, ...rest }) => {
    if (reason === 'ready') throw new TypeError(`"${rest.site}" is ready in a frozen sum and not counted`);
    return { ...rest, reason };
  });
}

export function inSiteOrder<T extends { site: string }>(outcomes: readonly T[]): T[] {
  return outcomes.toSorted((a, b) => (a.site < b.site ? -1 : 1));
}
