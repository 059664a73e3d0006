import type { RoundRow } from '../rounds/round.entity.js';
import type { RunChange } from './run.change.js';
import { type RunView, present } from './run.view.js';
import { slots } from './slot.names.js';

export interface Blocking {
  cause: string;
  whatToDo: string;
}

/** The run cannot go on in this key epoch. Nothing is lost: the operator starts a new one, or ends the run. */
export async function blockRun(change: RunChange, { cause, whatToDo }: Blocking): Promise<void> {
  Object.assign(change.run, { cause, whatToDo });
  await change.move('block', cause);
}

/** Puts into the ledger that a sum did not open and, as far as R7 can tell, through whom, and stops the run. */
export async function blockOverSum(change: RunChange, view: RunView, round: RoundRow): Promise<void> {
  const { run, kind, sum } = round;
  const { reason, named, detail } = present(round.failure, 'a failure');
  const cause = `Sum ${sum} (${kind}${kind === 'confirm' ? ` of "${round.confirms}"` : ''}) could not be opened: ${detail} (${reason}; ${atFault(round, named)}).`;
  await change.sign('round-garbled', slots.ofSum(sum), {
    consortium: view.consortium,
    run,
    e: present(view.epoch.e, 'E'),
    kind,
    sum,
    round: round.round,
    reason,
    named,
  });
  await change.moveRound({ ...round, cause }, 'block');
  await blockRun(change, { cause, whatToDo: waysOn(view, round, named) });
}

function atFault({ confirms }: RoundRow, named: readonly string[]): string {
  if (named.length > 0) return `at fault: ${named.join(', ')}`;
  return confirms === null ? 'nobody can be named' : `the site "${confirms}" or a key holder is at fault`;
}

function waysOn(view: RunView, round: RoundRow, named: readonly string[]): string {
  const renew = `coferment epochs renew ${view.run.run}`;
  const holders = view.epoch.roster.keyHolders.map(({ site }) => site);
  if (round.kind === 'confirm') {
    if (named[0] !== undefined && !named.includes(round.confirms ?? ''))
      return `Replace the key holder: ${renew} --replace-holder ${named[0]}`;
    const also = named.length === 0 ? ` If a key holder may be at fault: ${renew} --replace-holder HOLDER (${holders.join(', ')}).` : '';
    return `Leave the site out, or let it deal again: ${renew} --leave-out ${round.confirms} or ${renew}.${also}`;
  }
  if (named[0] !== undefined)
    return `Replace the key holder; the same sites' same updates are then summed again: ${renew} --replace-holder ${named[0]}`;
  return `A key holder or a contributor is at fault, and the shares do not show which. Replace the holder you doubt: ${renew} --replace-holder HOLDER (${holders.join(', ')}), or launch a new run without the contributor.`;
}
