import type { NewSetStatus } from '@coferment/proto';
import { approvalsOf, newestProposal } from '../runs/new-set.rule.js';
import type { RunView } from '../runs/run.view.js';
import { stuckRounds } from '../runs/stuck.steps.js';

/** The other set that is proposed for a stuck sum of a run, and who has approved it. */
export function newSetStatus(view: RunView): NewSetStatus | undefined {
  for (const { sum } of stuckRounds(view)) {
    const proposal = newestProposal(view, sum);
    if (proposal === undefined) continue;
    const { before, after, approvers } = proposal.predicate;
    return { sum, proposal: proposal.digest, before, after, approvers, approved: approvalsOf(view, proposal).map(({ site }) => site) };
  }
  return undefined;
}
