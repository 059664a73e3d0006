import { checkProposal, peekStatement, setDigest, sumInput } from '@coferment/consortium';
import { AgentError } from '../agent.error.js';
import type { InstructionBody } from '../connection/instruction.parser.js';
import type { ProposedSet } from '../journal/new-sets.repository.js';
import { SiteRefusal } from '../policy/site.refusal.js';
import { loadEpoch } from './run.facts.js';
import { requireKnownConcerned } from './set.change.js';
import { DONE, LATER, type Outcome, type SiteContext, waiting } from './site.context.js';

/**
 * Another set for a sum that cannot complete: checked by the machine, decided by a person of this site, signed once. No rule and no setting approves it, since
 * it lets others read the difference of two sums.
 */
export async function approveNewSet(context: SiteContext, { run, proposal: envelope }: InstructionBody<'approveNewSet'>): Promise<Outcome> {
  const { journal, consortium, site, operatorKey } = context;
  const claimed = peekStatement(envelope);
  if (claimed.name !== 'new-set-proposed')
    throw new AgentError('other-proposal', `A ${claimed.name} stands where a proposal of another set belongs. Nothing was signed.`);
  const { kind } = claimed.predicate;
  const facts = await loadEpoch(context, run, journal.runs.newestAgreed(run));
  const { state, appliedSum } = journal.models.progress(run);
  if (kind !== 'confirm' && kind !== 'statistics' && state === null) return LATER;
  // Rebuilt by this site, like everything that it signs over.
  const { modelIn } = sumInput(facts.plan, kind, kind === 'update' || kind === 'evaluate' ? state : null);
  const { predicate, digest } = checkProposal(envelope, operatorKey, { consortium, run, kind, modelIn, roster: facts.roster });
  const { e, sum, before, after, approvers } = predicate;
  if (sum <= appliedSum) return DONE;
  const key = { consortium, kind, modelIn };
  const current = journal.sets.inForce(key);
  if (e !== facts.e) throw refused(`it was made in another key epoch of ${run}`);
  if (!approvers.includes(site)) throw refused('this site is not among those whom it asks');
  if (current?.set === setDigest(after)) return DONE;
  if (current !== undefined && current.set !== setDigest(before))
    throw refused(`it starts from ${before.join(', ')}, and this site knows another set for this model: ${current.sites.join(', ')}`);
  requireKnownConcerned(context, key, predicate);
  requireAllowed(context, run);
  const earlier = journal.sets.earlier(key).flatMap(({ sites }) => (sites.length > 0 ? [sites] : []));
  const proposed: ProposedSet = { proposal: digest, run, sum, kind, modelIn, before, after, approvers, earlier };
  journal.newSets.show(proposed);
  const shown = journal.newSets.find(digest);
  switch (shown?.decision ?? 'undecided') {
    case 'undecided':
      return waiting(
        `Sum ${sum} of ${run} cannot complete over ${before.join(', ')}. The operator proposes to sum over ${after.join(', ')} instead, and this site has to approve that: the difference of the two sums becomes readable.`,
        `Read what that means: coferment-agent sets show; then: coferment-agent sets approve ${digest} or coferment-agent sets reject ${digest}`,
      );
    case 'rejected':
      throw new SiteRefusal(
        'set-rejected',
        'person',
        shown?.reason ?? '',
        `This site rejected the other set for sum ${sum} of ${run}. To change that: coferment-agent sets approve ${digest}`,
      );
    case 'approved':
  }
  const approval = journal.statements.sign(run, 'new-set-approved', digest, {
    consortium,
    run,
    e,
    kind,
    sum,
    site,
    proposal: digest,
    before,
    after,
  });
  await context.port.submitStatement(approval.envelope);
  return DONE;
}

/** A person stands below the rules here too. @throws SiteRefusal */
function requireAllowed({ policy }: SiteContext, run: string): void {
  if (policy.current().policy.newSets !== 'refuse') return;
  throw new SiteRefusal(
    'policy-refused',
    'newSets',
    'another set for a stuck sum is never approved here',
    `The policy of this site refuses another set for a stuck sum of ${run} (newSets: refuse). No approval overrides that: to allow it, somebody must change the policy file. See: coferment-agent policy show`,
  );
}

function refused(reason: string): AgentError {
  return new AgentError('other-proposal', `A proposal of another set is refused: ${reason}. Nothing was signed or sent.`);
}
