import { formatFingerprint } from '@coferment/consortium';
import type { NewSetStatus } from '@coferment/proto';

/** Another set that waits for approvals: what it changes, and who has decided. */
export function newSetText({ sum, proposal, before, after, approvers, approved }: NewSetStatus): string {
  const open = approvers.filter((site) => !approved.includes(site));
  return [
    `another set is proposed for sum ${sum}: ${after.join(', ')} instead of ${before.join(', ')}`,
    `  approved by ${approved.join(', ') || 'nobody yet'}${open.length === 0 ? '' : `; waits for ${open.join(', ')}`}`,
    `  digest of the proposal: ${formatFingerprint(proposal)}`,
  ].join('\n');
}
