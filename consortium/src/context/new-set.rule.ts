import type { DsseEnvelope } from '@coferment/crypto';
import { ConsortiumError, type ProtocolRefusal } from '../errors/index.js';
import { type Roster, epochSites, identityKeyOf } from '../roster/index.js';
import { type Predicate, type Statement, type SumKind, openStatement, peekStatement } from '../statements/index.js';

/** Two sums from one model differ by exactly what the sites in one of the sets put in: these are the sites that the difference tells about. */
export function setDifference(before: readonly string[], after: readonly string[]): string[] {
  const inOne = [...before.filter((site) => !after.includes(site)), ...after.filter((site) => !before.includes(site))];
  return [...new Set(inOne)].sort();
}

/**
 * Whom another set concerns after these from the same model. Of two sums only the difference can be worked out, and of whoever is in both it tells nothing. Of
 * three sums it is more: from v+x+y, v+x+z and v+y+z, x learns v, which is in all of them. So from the third set on, everybody in any of them is concerned.
 * @returns sorted, each once
 */
export function concernedSites(earlier: readonly (readonly string[])[], after: readonly string[]): string[] {
  const listed = (set: readonly string[]) => set.toSorted().join();
  const others = new Map(earlier.filter((set) => listed(set) !== listed(after)).map((set) => [listed(set), set]));
  const sets = [...others.values()];
  const concerned = sets.length > 1 ? [...sets.flat(), ...after] : sets.flatMap((set) => setDifference(set, after));
  return [...new Set(concerned)].sort();
}

/** What a proposal is looked at in: the run it must be of, and the key epoch in which the new sum would be made. */
export interface ProposalPlace {
  consortium: string;
  run: string;
  kind: SumKind;
  modelIn: string;
  roster: Roster;
}

/** Another set in the place of an earlier one, with the approval of everybody whom the proposal names. */
export interface SetChange {
  proposal: Statement<'new-set-proposed'>;
  approvals: { site: string; approval: string }[];
}

/**
 * Another set for a sum that cannot complete (secure-aggregation.md §3, Stickiness), as far as it can be judged without a memory: of this run, kind and
 * model, well formed, possible in this key epoch, and naming at least the sites that the difference tells about. Who signed the earlier set is for those to
 * say who know.
 */
export function checkProposal(envelope: DsseEnvelope, operatorKey: Uint8Array, place: ProposalPlace): Statement<'new-set-proposed'> {
  const claimed = peekStatement(envelope);
  if (claimed.name !== 'new-set-proposed') throw refused('wrong-act', `a ${claimed.name} stands where a proposal of another set belongs`);
  const proposal = openStatement('new-set-proposed', envelope, operatorKey);
  const { consortium, run, kind, modelIn } = proposal.predicate;
  const inPlace = consortium === place.consortium && run === place.run && kind === place.kind && modelIn === place.modelIn;
  if (!inPlace || kind === 'confirm')
    throw refused('other-proposal', 'the proposal of another set is for another consortium, run, kind of sum or model');
  requireSets(proposal.predicate, place.roster);
  return proposal;
}

function requireSets({ before, after, approvers }: Predicate<'new-set-proposed'>, roster: Roster): void {
  const members = roster.sites.map(({ site }) => site);
  for (const list of [before, after, approvers]) {
    list.forEach((site, position) => {
      const previous = list[position - 1];
      if (previous !== undefined && previous >= site)
        throw refused('set-unordered', `a list of the proposal is not sorted or names "${site}" twice`);
      if (!members.includes(site)) throw refused('not-in-epoch', `the proposal names "${site}", which is not a site of this run`);
    });
  }
  const outside = after.find((site) => !epochSites(roster).includes(site));
  if (outside !== undefined) throw refused('not-in-epoch', `the new set names "${outside}", which is not a site of this key epoch`);
  const { minContributors } = roster.numbers;
  if (after.length < minContributors)
    throw refused('set-too-small', `the new set has only ${after.length} sites; the approved plan requires ${minContributors}`);
  if (before.join() === after.join()) throw refused('other-proposal', 'the new set is the one before');
  requireApprovers(approvers, setDifference(before, after));
}

/** @throws ConsortiumError 'approvers-short' where a site that must be asked is not to be asked */
export function requireApprovers(approvers: readonly string[], needed: readonly string[]): void {
  const missing = needed.filter((site) => !approvers.includes(site));
  if (missing.length > 0)
    throw refused(
      'approvers-short',
      `the proposal of another set does not ask ${missing.join(', ')}, and it must: every site that the difference tells about and every signer`,
    );
}

/**
 * The proposal with all its approvals, for a sum that was frozen over `sites`: by exactly those whom it names, once each, over this proposal and both its sets.
 * @param envelopes the proposal, then the approvals
 */
export function checkSetChange(
  envelopes: readonly DsseEnvelope[],
  operatorKey: Uint8Array,
  place: ProposalPlace,
  sites: readonly string[],
): SetChange {
  const [first, ...rest] = envelopes;
  if (first === undefined) throw refused('other-proposal', 'there is no proposal of another set');
  const proposal = checkProposal(first, operatorKey, place);
  const { after, approvers } = proposal.predicate;
  if (after.join() !== sites.join())
    throw refused('other-proposal', `the approved set is ${after.join(', ')}, and the sum is over ${sites.join(', ')}`);
  const approvals = new Map<string, string>();
  for (const envelope of rest) {
    const { site, digest } = checkSetApproval(envelope, proposal, place.roster);
    if (approvals.has(site)) throw refused('approved-twice', `"${site}" approves the other set twice`);
    approvals.set(site, digest);
  }
  const missing = approvers.filter((site) => !approvals.has(site));
  if (missing.length > 0) throw refused('approval-missing', `${missing.join(', ')} did not approve the other set, and must`);
  return { proposal, approvals: [...approvals].map(([site, approval]) => ({ site, approval })) };
}

/** One approval, of exactly this proposal, signed by one of those whom it names with the key that the roster has for it. */
export function checkSetApproval(
  envelope: DsseEnvelope,
  { predicate: proposed, digest }: Statement<'new-set-proposed'>,
  roster: Roster,
): { site: string; digest: string } {
  const claimed = peekStatement(envelope);
  if (claimed.name !== 'new-set-approved') throw refused('wrong-act', `a ${claimed.name} stands where an approval of another set belongs`);
  const { site } = claimed.predicate;
  if (!proposed.approvers.includes(site)) throw refused('not-an-approver', `"${site}" approves the other set and was not asked to`);
  const approval = openStatement('new-set-approved', envelope, identityKeyOf(roster, site));
  const { consortium, run, e, kind, sum, proposal, before, after } = approval.predicate;
  const same =
    proposal === digest &&
    consortium === proposed.consortium &&
    run === proposed.run &&
    e === proposed.e &&
    kind === proposed.kind &&
    sum === proposed.sum &&
    before.join() === proposed.before.join() &&
    after.join() === proposed.after.join();
  if (!same) throw refused('other-approval', `what "${site}" approves is another proposal, or other sets`);
  return { site, digest: approval.digest };
}

function refused(code: ProtocolRefusal, reason: string): ConsortiumError {
  return new ConsortiumError(code, `Refused: ${reason}. Nothing was signed or sent.`);
}
