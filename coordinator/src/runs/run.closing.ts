import { closedRounds, type RunView } from './run.view.js';
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
  await change.sign('run-closed', slots.ofRun(), {
    consortium: view.consortium,
    run: view.run.run,
    status: STATUS[event],
    rounds: updates.length,
    model: updates.at(-1)?.modelOut ?? 'none',
    contributions: view.run.sites.map((site) => ({ site, updates: updates.filter((round) => round.counted.includes(site)).length })),
  });
  Object.assign(change.run, { cause, whatToDo, closedMs: change.nowMs });
  await change.move(event, cause);
}
