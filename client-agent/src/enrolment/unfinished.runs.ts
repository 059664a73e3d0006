import type { RunRecord } from '../journal/runs.repository.js';

const OVER = ['completed', 'aborted', 'failed'];

/**
 * Runs that are not over and have this site among theirs, by the coordinator's word. Those that this site has taken itself out of count on it no more.
 * @param told the runs of a poll
 */
export function runsThatCount(told: readonly { run: string; state: string }[], own: readonly RunRecord[]): string[] {
  const given = new Set(own.flatMap(({ run, state }) => (state === 'dead' || state === 'closed' ? [run] : [])));
  return told.flatMap(({ run, state }) => (OVER.includes(state) || given.has(run) ? [] : [run]));
}
