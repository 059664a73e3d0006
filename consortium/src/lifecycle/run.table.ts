import type { TransitionTable } from './transition.table.js';

export type RunState = 'draft' | 'awaiting-approval' | 'key-ceremony' | 'running' | 'stuck' | 'paused' | 'completed' | 'aborted' | 'failed';

/**
 * - `start-epoch` opens a key epoch: the first when all sites approved, later ones when the operator renews it, with the same members or others.
 * - `block`: the epoch cannot go on: a dealing was refused, a sum does not open, or somebody without whom it cannot is away.
 * - `unblock`: who was waited for is back, or every site concerned approved another set. Otherwise the operator starts a new epoch, or ends the run.
 * - `pause`, `resume`: the operator's word. Nothing is asked of sites while a run is paused, and no deadline runs.
 * - `fail`: a sum is given up by the rules of the plan. Only a sum that collects can be, so not before the key ceremony; and not while the run is stuck or
 *   paused, where no deadline decides anything.
 */
export type RunEvent =
  | 'submit'
  | 'start-epoch'
  | 'confirm-epoch'
  | 'block'
  | 'unblock'
  | 'pause'
  | 'resume'
  | 'complete'
  | 'abort'
  | 'fail';

/** A `draft` is submitted in the transaction that makes it, so there is nothing to abort. Confirmation sums belong to the key ceremony; statistics, rounds and the last evaluation to `running`. */
export const RUN_TABLE: TransitionTable<RunState, RunEvent> = {
  of: 'run',
  initial: 'draft',
  events: ['submit', 'start-epoch', 'confirm-epoch', 'block', 'unblock', 'pause', 'resume', 'complete', 'abort', 'fail'],
  transitions: {
    draft: { submit: 'awaiting-approval' },
    'awaiting-approval': { 'start-epoch': 'key-ceremony', abort: 'aborted' },
    'key-ceremony': { 'start-epoch': 'key-ceremony', 'confirm-epoch': 'running', block: 'stuck', abort: 'aborted', fail: 'failed' },
    running: { 'start-epoch': 'key-ceremony', block: 'stuck', pause: 'paused', complete: 'completed', abort: 'aborted', fail: 'failed' },
    stuck: { 'start-epoch': 'key-ceremony', unblock: 'running', abort: 'aborted' },
    paused: { resume: 'running', abort: 'aborted' },
    completed: {},
    aborted: {},
    failed: {},
  },
};
