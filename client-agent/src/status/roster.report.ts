import { describeMembers, formatFingerprint, parseRoster, type Roster, rosterLines } from '@coferment/consortium';
import type { ObjectCache } from '../connection/object.cache.js';
import type { ShownRoster } from '../journal/approvals.repository.js';
import type { Wait } from '../journal/activity.repository.js';
import type { Journal } from '../journal/journal.js';
import { standingOf } from './run.standing.js';

export interface RosterEntry extends ShownRoster {
  /** Whether this site has approved it for this run and key epoch. */
  approved: boolean;
  /** In one line; null where the roster is no longer stored here. */
  members: string | null;
  /** The lines that the operator's screen has too. */
  lines: string[];
}

export interface RosterReport {
  /** The fingerprint approved last. */
  approved: string | null;
  epochs: RosterEntry[];
  waiting: Wait[];
}

/** Every roster of this site, approved or waiting, from what is stored here: no coordinator is asked. */
export function rosterReport(journal: Journal, objects: ObjectCache): RosterReport {
  const shown = journal.approvals.shownRosters();
  const epochs = journal.runs.all().flatMap((record) => {
    const { run, sites } = record;
    const joined = journal.runs.epochs(run);
    const waits = standingOf(journal, record).isOver ? [] : shown.filter((entry) => isNewer(entry, run, joined.at(-1)?.epoch ?? 0));
    let before: Roster | undefined;
    return [...joined.map((entry) => ({ ...entry, approved: true })), ...waits.map((entry) => ({ ...entry, approved: false }))].map(
      ({ epoch, roster: digest, fingerprint, approved }): RosterEntry => {
        const bytes = objects.read(digest);
        const entry = { run, epoch, roster: digest, fingerprint, approved };
        if (bytes === undefined)
          return {
            ...entry,
            members: null,
            lines: [`Roster of run ${run}, key epoch ${epoch}`, `Fingerprint: ${formatFingerprint(fingerprint)}`],
          };
        const roster = parseRoster(bytes);
        const lines = rosterLines(roster, { run, epoch, asked: sites, before });
        before = roster;
        return { ...entry, members: describeMembers(roster), lines };
      },
    );
  });
  const over = new Set(journal.runs.all().flatMap((record) => (standingOf(journal, record).isOver ? [record.run] : [])));
  const waiting = journal.activity.waits().filter((wait) => wait.subject.startsWith('approveRoster') && !over.has(wait.run));
  return { approved: journal.approvals.lastRoster() ?? null, epochs, waiting };
}

function isNewer(entry: ShownRoster, run: string, newest: number): boolean {
  return entry.run === run && entry.epoch > newest;
}

export function renderRosters({ approved, epochs, waiting }: RosterReport): string {
  const blocks = epochs.map(({ lines, approved: isApproved, fingerprint }) => [
    ...lines,
    isApproved
      ? 'This site has approved it.'
      : `This site has not approved it. If the lines above are the same at all sites: coferment-agent roster approve ${fingerprint}`,
    '',
  ]);
  return [
    ...blocks.flat(),
    ...waiting.flatMap((wait) => [wait.reason, `→ ${wait.whatToDo}`]),
    `Last approved: ${approved === null ? 'none' : formatFingerprint(approved)}`,
  ].join('\n');
}
