import type { ExclusionReason } from '@coferment/consortium';

/** What is known when the uploads of an attempt may be frozen. */
export interface UploadState {
  /** Sites on the closed list. */
  listed: readonly string[];
  uploaded: ReadonlySet<string>;
  declined: ReadonlySet<string>;
  absent: ReadonlySet<string>;
  minContributors: number;
  pastDeadline: boolean;
}

export type UploadDecision =
  | { kind: 'wait' }
  | { kind: 'freeze'; counted: string[]; dropped: { site: string; reason: ExclusionReason }[] }
  | { kind: 'new-attempt' };

/**
 * R4: uploads are frozen when nobody is left to wait for, or at the deadline. Too few uploads mean a new attempt with fresh nonces and the same vectors:
 * nobody was asked to sign yet, so nothing can be learnt from the difference.
 */
export function decideUploads(state: UploadState): UploadDecision {
  const { listed, uploaded, declined, absent, minContributors, pastDeadline } = state;
  const missing = listed.filter((site) => !uploaded.has(site));
  const settled = missing.every((site) => declined.has(site) || absent.has(site));
  if (!settled && !pastDeadline) return { kind: 'wait' };
  if (uploaded.size < minContributors) return { kind: 'new-attempt' };
  const counted = listed.filter((site) => uploaded.has(site));
  return { kind: 'freeze', counted, dropped: missing.map((site) => ({ site, reason: 'dropped' as const })) };
}
