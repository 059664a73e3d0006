import { ConsortiumBudgetError, ConsortiumError, type Roster, formatDuration } from '@coferment/consortium';
import { CoordinatorError } from '../errors/index.js';
import { firstRoster } from './first.roster.js';
import type { RunView } from './run.view.js';
import { slots } from './slot.names.js';

/** What becomes of a run whose sites have not all approved when the time for it is over. */
export type DeadlineOutcome =
  | { kind: 'go-on'; sites: string[]; notApproved: string[]; roster: Roster }
  | { kind: 'too-few'; notApproved: string[]; cause: string; whatToDo: string };

export function isPastDeadline({ run }: RunView, nowMs: number): boolean {
  return run.approveByMs !== null && nowMs >= run.approveByMs;
}

export function approvedSites(view: RunView): string[] {
  return view.run.sites.filter((site) => view.acts.has('plan-approved', site, slots.ofRun()));
}

/**
 * The run goes on among the sites that have approved, with every number taken anew from the plan for exactly so many; if the plan is impossible among them
 * it ends. Nothing was certified or dealt before, so there is no earlier n that a smaller one could be played against.
 */
export function atDeadline(view: RunView): DeadlineOutcome {
  const sites = approvedSites(view);
  const notApproved = view.run.sites.filter((site) => !sites.includes(site));
  const members = view.epoch.roster.sites.filter(({ site }) => sites.includes(site));
  try {
    return { kind: 'go-on', sites, notApproved, roster: firstRoster(view.plan, members) };
  } catch (error) {
    if (!(error instanceof ConsortiumError || error instanceof ConsortiumBudgetError)) throw error;
    return { kind: 'too-few', notApproved, ...tooFew(view, sites, notApproved, error.message) };
  }
}

function tooFew(
  { run }: RunView,
  sites: readonly string[],
  notApproved: readonly string[],
  reason: string,
): { cause: string; whatToDo: string } {
  const within = formatDuration((run.approveByMs ?? run.openedMs) - run.openedMs);
  return {
    cause: `${sites.length} of ${run.sites.length} sites approved within ${within}, and they are too few: ${reason} Not approved: ${notApproved.join(', ')}.`,
    whatToDo: `Ask them why, then launch again with more time: coferment launch ${run.plan} --approve-within '14 d'`,
  };
}

/** An approval that comes too late is told so, whichever way the run has gone in the meantime. @throws CoordinatorError 'not-owed' */
export function requireInTime(view: RunView, site: string, nowMs: number): void {
  const { run } = view;
  const isLate = run.state === 'awaiting-approval' && isPastDeadline(view, nowMs);
  if (!isLate && !run.notApproved.includes(site)) return;
  throw new CoordinatorError(
    'not-owed',
    `The approval of "${site}" came after ${new Date(run.approveByMs ?? 0).toISOString()}, until when run ${run.run} waited. It was not stored; the site can take part in the next run of the plan.`,
  );
}
