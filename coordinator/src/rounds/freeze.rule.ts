import type { ExclusionReason, Plan } from '@coferment/consortium';

/** What is known when the uploads of an attempt may be frozen. */
export interface UploadState {
  /** Sites on the closed list. */
  listed: readonly string[];
  uploaded: ReadonlySet<string>;
  declined: ReadonlySet<string>;
  absent: ReadonlySet<string>;
  /** Not waited for as long as there are enough others. */
  setAside: ReadonlySet<string>;
  minContributors: number;
  pastDeadline: boolean;
}

export type UploadDecision =
  | { kind: 'wait' }
  | { kind: 'freeze'; counted: string[]; dropped: { site: string; reason: ExclusionReason }[] }
  | { kind: 'new-attempt' }
  | { kind: 'abandon'; dropped: { site: string; reason: ExclusionReason }[] };

/**
 * R4: uploads are frozen when nobody is left to wait for, or as the plan says at the deadline. Too few uploads mean a new attempt with fresh nonces and the
 * same vectors: nobody was asked to sign yet, so nothing can be learnt from the difference. For the same reason a sum may be given up here, and not later.
 */
export function decideUploads({ onDeadline }: Pick<Plan['quorum'], 'onDeadline'>, state: UploadState): UploadDecision {
  const { listed, uploaded, declined, absent, setAside, minContributors, pastDeadline } = state;
  const missing = listed.filter((site) => !uploaded.has(site));
  const enough = uploaded.size >= minContributors;
  const isSettled = missing.every((site) => declined.has(site) || absent.has(site) || (enough && setAside.has(site)));
  const dropped = missing.map((site) => ({ site, reason: reasonWithoutUpload(site, state) }));
  if (!isSettled) {
    if (!pastDeadline || onDeadline === 'wait') return { kind: 'wait' };
    if (onDeadline === 'abandon') return { kind: 'abandon', dropped };
  }
  if (!enough) return { kind: 'new-attempt' };
  return { kind: 'freeze', counted: listed.filter((site) => uploaded.has(site)), dropped };
}

function reasonWithoutUpload(site: string, { setAside }: UploadState): ExclusionReason {
  return setAside.has(site) ? 'set-aside' : 'dropped';
}
