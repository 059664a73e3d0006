import { approvalsOf, neededApprovers, newestProposal } from './new-set.rule.js';
import type { RoundRow } from '../rounds/round.entity.js';
import type { RunView } from './run.view.js';
import { needOf, stuckAt } from './shortfall.rule.js';
import { stuckRounds } from './stuck.steps.js';

const nobodyAbsent = (): Set<string> => new Set();

/** Whom a stuck run waits for, and its three ways on, each with its command or with why it is not open. */
export interface StuckWays {
  waitingFor: string[];
  whatToDo: string;
}

/** Undefined for a run that is stuck in its key ceremony, where the operator's word at that point says what to do. */
export function waysOn(view: RunView): StuckWays | undefined {
  const round = stuckRounds(view).find(({ kind }) => kind !== 'confirm');
  if (round === undefined || view.epoch.e === null) return undefined;
  const missing = needOf(view, round, nobodyAbsent)?.missing ?? [];
  const proposal = newestProposal(view, round.sum);
  const approved = new Set(proposal === undefined ? [] : approvalsOf(view, proposal).map(({ site }) => site));
  const unheard = proposal?.predicate.approvers.filter((site) => !approved.has(site)) ?? [];
  const ways = [byWaiting(round, missing), byRenewal(view, round), byNewSet(view, round, unheard)];
  return {
    waitingFor: [...new Set([...missing.map(({ site }) => site), ...unheard])].sort(),
    whatToDo: ways.map((way, index) => `(${index + 1}) ${way}`).join(' '),
  };
}

function byWaiting(round: RoundRow, missing: readonly { site: string; why: string | undefined }[]): string {
  switch (stuckAt(round)) {
    case 'garbled':
      return 'Waiting does not help: a wrong share or upload stays wrong.';
    case 'collecting': {
      const out = missing.filter(({ why }) => why === 'declined' || why === 'left').map(({ site }) => site);
      return out.length > 0
        ? `Waiting does not help: ${out.join(', ')} stays out of this sum.`
        : 'Wait: the run goes on by itself when these sites are back. Their agents must run: coferment-agent serve';
    }
    case 'attesting':
    case 'decrypting':
      return 'Wait: the run goes on by itself when enough of these sites are back. Their agents must run: coferment-agent serve';
  }
}

function byRenewal({ run }: RunView, round: RoundRow): string {
  const renew = `coferment epochs renew ${run.run}`;
  switch (stuckAt(round)) {
    case 'garbled':
      return `${run.whatToDo === '' ? '' : `${run.whatToDo} `}A new key epoch sums the same sites' same updates again: ${renew}`;
    case 'attesting':
      return `A new key epoch with the same set and the same updates: ${renew}. It needs as many signatures and every site of the set.`;
    case 'decrypting':
      return `A new key epoch with the same set and the same updates, and other key holders: ${renew} --replace-holder HOLDER`;
    case 'collecting':
      return `A new key epoch asks all sites anew, for the same set and the same updates: ${renew}`;
  }
}

function byNewSet(view: RunView, round: RoundRow, unheard: readonly string[]): string {
  const { run } = view.run;
  const open = `coferment rounds open-new-set ${run} --sites SITES`;
  const proposal = newestProposal(view, round.sum);
  if (proposal !== undefined) {
    const { approvers, after } = proposal.predicate;
    const outside = neededApprovers(view, round, after).filter((site) => !approvers.includes(site));
    if (outside.length > 0)
      return `Another set, ${after.join(', ')}, is proposed, but ${outside.join(', ')} has signed the first one since. Propose it again: ${open}`;
    const approve = `coferment-agent sets approve ${proposal.digest}`;
    return `Another set, ${after.join(', ')}, is proposed and waits for the approval of ${unheard.join(', ')} (there: coferment-agent sets show, then ${approve}). If one of them is gone for good, only a new run remains: coferment abort ${run}`;
  }
  const asked = neededApprovers(view, round, round.fixedSet ?? round.counted);
  const same =
    stuckAt(round) === 'attesting' || stuckAt(round) === 'decrypting' ? ' It would need as many signatures and shares as this one.' : '';
  const signers = asked.length > 0 ? ` and ${asked.join(', ')}, who have signed the first,` : '';
  return `Another set, if every site that is in one of the two sets only${signers} approves it, knowing that the difference becomes readable: ${open}.${same} Where one of them is gone for good, only a new run remains: coferment abort ${run}`;
}
