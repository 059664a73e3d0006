import { type Statement, checkSetApproval, parseStatement } from '@coferment/consortium';
import type { DsseEnvelope } from '@coferment/crypto';
import { CoordinatorError } from '../errors/index.js';
import { newestProposal } from './new-set.rule.js';
import type { RunView } from './run.view.js';
import { stuckRounds } from './stuck.steps.js';

/** An approval of the proposal that counts now, for a sum that is still stuck. Returns its slot. @throws CoordinatorError, ConsortiumError */
export function admitSetApproval(view: RunView, { predicate }: Statement<'new-set-approved'>, envelope: DsseEnvelope): string {
  const { site, sum } = predicate;
  const proposal = stuckRounds(view).some((round) => round.sum === sum) ? newestProposal(view, sum) : undefined;
  if (proposal === undefined)
    throw new CoordinatorError('not-owed', `No approval of another set is due from "${site}" for sum ${sum}. Poll for what is.`);
  const statement = parseStatement(Buffer.from(proposal.envelope.payload, 'base64')) as Statement<'new-set-proposed'>;
  checkSetApproval(envelope, statement, view.epoch.roster);
  return proposal.slot;
}
