import { closedRounds, type RunView } from './run.view.js';
import { OPERATOR } from './act.entity.js';
import type { Blocking } from './run.blocking.js';
import type { RunChange } from './run.change.js';
import { slots } from './slot.names.js';

export interface Closing {
  event: 'complete' | 'abort' | 'fail';
  cause: string;
  whatToDo: string;
}

const STATUS = { complete: 'completed', abort: 'aborted', fail: 'failed' } as const;

/** Ends a run, with what it came to in the ledger: rounds, model and how often each site contributed. */
export async function closeRun(change: RunChange, view: RunView, { event, cause, whatToDo }: Closing): Promise<void> {
  const updates = closedRounds(view).filter((round) => round.kind === 'update');
  const closing = {
    consortium: view.consortium,
    run: view.run.run,
    status: STATUS[event],
    rounds: updates.length,
    model: updates.at(-1)?.modelOut ?? 'none',
    contributions: view.run.sites.map((site) => ({ site, updates: updates.filter((round) => round.counted.includes(site)).length })),
  };
  // Sites are told in any case; a run that was never approved by all has not been opened in the ledger either.
  const ledgered = view.acts.has('run-opened', OPERATOR, slots.ofRun());
  await change.sign('run-closed', slots.ofRun(), closing, { ledgered });
  Object.assign(change.run, { cause, whatToDo, closedMs: change.nowMs });
  await change.move(event, cause);
}

/** Too few sites approved in time: the run ends before it was opened, and its sites are told. */
export async function giveUp(
  change: RunChange,
  view: RunView,
  { notApproved, ...why }: Blocking & { notApproved: string[] },
): Promise<void> {
  change.run.notApproved = notApproved;
  await closeRun(change, view, { event: 'abort', cause: why.cause, whatToDo: why.whatToDo });
}
