import { type Predicate, checkSetChange, concernedSites, requireApprovers, setDigest } from '@coferment/consortium';
import type { DsseEnvelope } from '@coferment/crypto';
import { AgentError } from '../agent.error.js';
import type { ApprovedChange, SetKey } from '../journal/counted-sets.repository.js';
import { requireRemembered } from './own.acts.js';
import type { EpochFacts } from './run.facts.js';
import type { SiteContext } from './site.context.js';
import type { SumFacts } from './sum.context.js';

/**
 * Whether the set that a sum was frozen over may take the place of the one that this site has bound itself to (secure-aggregation.md §3). Nothing is taken on
 * trust: the proposal is the operator's and of this run, kind and model; it asks at least everybody whom this site knows to be concerned; all of them have
 * signed. A site that has bound itself to the earlier set lets go of it by its own approval only: of ρ signers of one set and ρ of another at least one is
 * honest and the same, so no second certificate comes about without that.
 * @param envelopes as they came with the sum; none where its set is the first one of its model
 * @returns undefined where nothing is to change
 */
export function approvedChange(
  context: SiteContext,
  facts: EpochFacts,
  sum: SumFacts,
  sites: readonly string[],
  envelopes: readonly DsseEnvelope[],
): ApprovedChange | undefined {
  if (envelopes.length === 0) return undefined;
  const { journal, operatorKey, site } = context;
  const { consortium, run, kind, epoch, e } = sum.position;
  const key = { consortium, kind, modelIn: sum.modelIn };
  const current = journal.sets.inForce(key);
  if (current?.set === setDigest(sites)) return undefined;
  const { proposal, approvals } = checkSetChange(envelopes, operatorKey, { ...key, run, roster: facts.roster }, sites);
  const { before, after } = proposal.predicate;
  requireKnownConcerned(context, key, proposal.predicate);
  const own = approvals.find((approval) => approval.site === site);
  if (current !== undefined && own === undefined)
    throw new AgentError(
      'set-unapproved',
      `Sum ${sum.name.sum} of ${run} is over ${after.join(', ')} instead of ${before.join(', ')}. This site has bound itself to the first set, and nobody asked it to approve the other one. Nothing was signed or sent.`,
    );
  if (own !== undefined && proposal.predicate.e === e)
    requireRemembered(context, run, epoch, `An approval of another set for sum ${proposal.predicate.sum}`, own.approval);
  return { proposal: proposal.digest, before, after };
}

/**
 * With a third set, everybody in any of the sets must have been asked, as far as this site knows them.
 * @throws ConsortiumError 'approvers-short', AgentError 'set-changed' where nobody here can tell any more who that is
 */
export function requireKnownConcerned(
  { journal }: Pick<SiteContext, 'journal'>,
  key: SetKey,
  { before, after, approvers }: Pick<Predicate<'new-set-proposed'>, 'before' | 'after' | 'approvers'>,
): void {
  const earlier = journal.sets.earlier(key).map(({ sites }) => sites);
  if (earlier.some((sites) => sites.length === 0))
    throw new AgentError(
      'set-changed',
      `This site has signed more than one set for the ${key.kind} sum of model ${key.modelIn.slice(0, 16)}, and its restored journal does not have the sites of all. Nobody here can tell whom another set would concern, so it takes no further one. Nothing was signed or sent.`,
    );
  requireApprovers(approvers, concernedSites([...earlier, before], after));
}
