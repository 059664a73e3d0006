import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { bytesToHex } from '@coferment/crypto';
import type { RunView } from '@coferment/proto';
import type { Membership } from '../enrolment/membership.file.js';
import type { ConnectionState, Refusal, Wait } from '../journal/activity.repository.js';
import type { Journal } from '../journal/journal.js';
import type { RoundStep } from '../journal/steps.repository.js';
import { folderFault, storageText } from '../storage/storage.fault.js';
import { type RunStanding, standingOf } from './run.standing.js';

export interface RunReport extends RunStanding {
  run: string;
  plan: string;
  ordinal: number;
  state: string;
  detail: string;
  sites: string[];
  appliedSum: number;
  /** Training rounds applied here. */
  roundsApplied: number;
  step: RoundStep | null;
  /** As the coordinator last described it. */
  coordinator: (RunView & { seenMs: number }) | null;
}

/** What a person at the site needs to know: is it running, what does it wait for, what has left. */
export interface StatusReport {
  site: string;
  consortium: string;
  coordinator: string;
  certificateExpiresAt: string;
  servingPid: number | null;
  connection: ConnectionState | null;
  /** Why nothing can be stored in this folder and what to do; null while all is well. */
  storage: string | null;
  runs: RunReport[];
  /** For a person to decide. */
  waits: Wait[];
  /** What goes on by itself, at the time that it names. */
  later: Wait[];
  refusals: Refusal[];
  sent: { name: string; objects: number; bytes: number }[];
  /** The last checkpoint of the ledger that this site has cosigned. */
  cosigned: { size: string; root: string; atMs: number; checkpoint: string } | null;
  /** Evidence against the log that nobody has decided on: as long as there is any, this site signs nothing in any run. */
  splitViews: { id: number; what: string; foundMs: number }[];
}

const SHOWN_REFUSALS = 10;

export function statusReport(folder: string, member: Membership, journal: Journal): StatusReport {
  const { activity } = journal;
  const over = new Set(journal.runs.all().flatMap((run) => (standingOf(journal, run).isOver ? [run.run] : [])));
  const waits = activity.waits().filter((wait) => !over.has(wait.run));
  return {
    site: member.site,
    consortium: member.consortium,
    coordinator: member.coordinator,
    certificateExpiresAt: member.certificateExpiresAt,
    servingPid: servingPid(folder),
    connection: activity.connectionState() ?? null,
    storage: storageOf(folder),
    runs: journal.runs.all().map((run) => {
      const progress = journal.models.progress(run.run);
      const seen = activity.view(run.run);
      return {
        ...run,
        ...standingOf(journal, run),
        appliedSum: progress.appliedSum,
        roundsApplied: progress.state?.round ?? 0,
        step: journal.steps.latest(run.run) ?? null,
        coordinator: seen === undefined ? null : { ...(seen.view as RunView), seenMs: seen.seenMs },
      };
    }),
    waits: waits.filter(({ whatToDo }) => whatToDo !== ''),
    later: waits.filter(({ whatToDo }) => whatToDo === ''),
    refusals: activity.refusals(SHOWN_REFUSALS),
    sent: sentTotals(journal),
    cosigned: cosignedOf(journal),
    splitViews: journal.evidence.undecided().map(({ id, what, foundMs }) => ({ id, what, foundMs })),
  };
}

function storageOf(folder: string): string | null {
  const fault = folderFault(folder);
  return fault === undefined ? null : storageText(folder, fault);
}

function cosignedOf({ cosigned }: Journal): StatusReport['cosigned'] {
  const last = cosigned.latest();
  if (last === undefined) return null;
  return { size: last.size.toString(), root: bytesToHex(last.root), atMs: last.signedS * 1000, checkpoint: last.note };
}

/** All that has left this site, by class. */
export function sentTotals(journal: Journal): StatusReport['sent'] {
  return [...journal.activity.sentTotals(), ...cosignatures(journal)];
}

/** They are counted where they are stored, and not one by one among what was sent. */
function cosignatures({ cosigned }: Journal): StatusReport['sent'] {
  const last = cosigned.latest();
  return last === undefined ? [] : [{ name: 'cosignature', objects: last.cosignatures, bytes: last.bytes }];
}

/** The process that serves this folder, if it is alive. */
function servingPid(folder: string): number | null {
  try {
    const { pid } = JSON.parse(readFileSync(join(folder, 'lock.json'), 'utf8')) as { pid: unknown };
    if (typeof pid !== 'number') return null;
    process.kill(pid, 0);
    return pid;
  } catch {
    return null;
  }
}
