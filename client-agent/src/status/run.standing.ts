import type { RunView } from '@coferment/proto';
import { AgentError } from '../agent.error.js';
import type { Journal } from '../journal/journal.js';
import type { RunRecord } from '../journal/runs.repository.js';

/** Where this site stands in a run, for its people. What the coordinator says of the run is shown here and decides nothing. */
export interface RunStanding {
  standing: string;
  /** Nothing that is done here changes anything in this run any more. */
  isOver: boolean;
  /** Until when this site can approve; null where it need not, or may take its time. */
  approveByMs: number | null;
}

export function standingOf(journal: Journal, record: RunRecord): RunStanding {
  const view = journal.activity.view(record.run)?.view as Partial<RunView> | undefined;
  const detail = record.detail === '' ? '' : ` (${record.detail})`;
  const over = (standing: string): RunStanding => ({ standing, isOver: true, approveByMs: null });
  if (record.state === 'closed') return over(`over${detail}`);
  if (view?.withoutThisSite === true)
    return over(
      `over for this site: it had not approved by the deadline, and the run ${view.state === 'aborted' ? 'ended' : 'goes on'} without it`,
    );
  switch (record.state) {
    case 'asked': {
      const deadlineMs = view?.state === 'awaiting-approval' ? (view.deadlineMs ?? 0) : 0;
      const until = deadlineMs > 0 ? `, at most until ${new Date(deadlineMs).toISOString().replace('T', ' ').slice(0, 19)} UTC` : '';
      return { standing: `waits for the approval of this site${until}`, isOver: false, approveByMs: deadlineMs > 0 ? deadlineMs : null };
    }
    case 'approved':
    case 'dead':
      return { standing: `${record.state}${detail}`, isOver: false, approveByMs: null };
  }
}

/** @throws AgentError 'run-closed' for a decision that would come to nothing */
export function requireOpen(journal: Journal, record: RunRecord | undefined): void {
  if (record === undefined) return;
  const { standing, isOver } = standingOf(journal, record);
  if (!isOver) return;
  throw new AgentError(
    'run-closed',
    `Run ${record.ordinal} of plan ${record.plan} is ${standing}. Nothing was recorded; if the operator launches the plan again, that is run ${record.ordinal + 1} or later.`,
  );
}
