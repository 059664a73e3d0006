import type { LedgerAccount, PlanRecord, RunAccount, SiteAccount, SumRecord } from '../account/index.js';
import {
  countedWords,
  epochWords,
  errorValueWords,
  excludedWords,
  membershipWords,
  outcomeWords,
  rangeWords,
  sumWords,
} from './account.words.js';
import { shortDigest, shownText } from './shown.text.js';

export interface Column {
  readonly title: string;
  /** Takes what is left of the line, and breaks between words. */
  readonly wraps?: boolean;
  readonly isNumber?: boolean;
}

/** One table of an account, for whatever it is shown on. The first cell of a row says what the row is about. */
export interface AccountTable {
  readonly columns: readonly Column[];
  readonly rows: readonly (readonly string[])[];
}

export function siteTable({ sites }: Pick<LedgerAccount, 'sites'>): AccountTable {
  return {
    columns: [
      { title: 'Site' },
      { title: 'Membership', wraps: true },
      { title: 'Enrolled in entry', wraps: true },
      { title: 'Identity key' },
      { title: 'Witness key' },
    ],
    rows: sites.map((record) => [
      record.site,
      membershipWords(record) + (record.endedIn === undefined ? '' : ` (entry ${record.endedIn})`),
      record.enrolledIn.join(', '),
      shortDigest(record.identityKey),
      record.witnessKey === undefined ? 'none' : shortDigest(record.witnessKey),
    ]),
  };
}

export function planTable({ plans }: Pick<LedgerAccount, 'plans'>): AccountTable {
  return {
    columns: [{ title: 'Plan' }, { title: 'Name', wraps: true }, { title: 'Approved by', wraps: true }],
    rows: plans.map((plan) => [shortDigest(plan.plan), shownText(plan.name), approvalWords(plan)]),
  };
}

function approvalWords({ approvals }: PlanRecord): string {
  const ordinals = [...new Set(approvals.map(({ ordinal }) => ordinal))];
  if (ordinals.length === 0) return 'nobody';
  return ordinals
    .map((ordinal) => `run ${ordinal}: ${[...new Set(approvals.flatMap((one) => (one.ordinal === ordinal ? [one.site] : [])))].join(', ')}`)
    .join('; ');
}

export function epochTable({ epochs }: RunAccount): AccountTable {
  return {
    columns: [
      { title: 'Key epoch' },
      { title: 'Key holders', wraps: true },
      { title: 'To open' },
      { title: 'Why, and who is out', wraps: true },
    ],
    rows: epochs.map((epoch) => [
      `${epoch.epoch}`,
      epoch.keyHolders.join(', '),
      `${epoch.threshold} of ${epoch.keyHolders.length}`,
      epochWords(epoch),
    ]),
  };
}

/** Confirm sums stay out: one a site and key epoch, and they say nothing but that its key works. */
export const shownSums = ({ sums }: RunAccount): readonly SumRecord[] => sums.filter(({ kind }) => kind !== 'confirm');

export function sumTable(run: RunAccount): AccountTable {
  return {
    columns: [
      { title: 'Sum' },
      { title: 'Of' },
      { title: 'Attempt' },
      { title: 'Outcome', wraps: true },
      { title: 'Counted', wraps: true },
      { title: 'Not counted, and why', wraps: true },
    ],
    rows: shownSums(run).map((sum) => [
      `${sum.sum}`,
      sumWords(sum),
      `${sum.attempt}`,
      outcomeWords(sum),
      countedWords(sum),
      excludedWords(sum),
    ]),
  };
}

/** Standings that hardly any ledger has get no column of their own. */
function otherRounds({ rounds }: SiteAccount): number {
  return rounds['left-out'] + rounds['not-opened'] + rounds.unproven + rounds.unnamed;
}

export function contributionTable({ contributions }: RunAccount): AccountTable {
  const number = (title: string) => ({ title, isNumber: true });
  return {
    columns: [
      { title: 'Site' },
      number('Counted'),
      number('Late'),
      number('Dropped'),
      number('Refused'),
      number('Absent'),
      number('Set aside'),
      number('Otherwise not'),
      number('Attempts'),
      { title: 'Samples' },
    ],
    rows: contributions.map((site) => [
      site.site,
      ...[
        site.rounds.counted,
        site.rounds.late,
        site.rounds.dropped,
        site.rounds.refused,
        site.rounds.absent,
        site.rounds['set-aside'],
      ].map(String),
      `${otherRounds(site)}`,
      `${site.attempts.takenPart}`,
      rangeWords(site.data.samples, site.data.committed),
    ]),
  };
}

export function serviceTable({ contributions }: RunAccount): AccountTable {
  const number = (title: string) => ({ title, isNumber: true });
  return {
    columns: [
      { title: 'Site' },
      number('Shares used'),
      number('Shares unused'),
      number('Sets attested'),
      number('Dealings'),
      number('Acknowledged'),
      { title: 'Batches' },
      { title: 'Data report' },
      { title: 'Computed with' },
    ],
    rows: contributions.map(({ site, shares, attestations, dealings, data, backends }) => [
      site,
      `${shares.used}`,
      `${shares.unused + shares.notOpened}`,
      `${attestations.signed}`,
      `${dealings.dealt}`,
      `${dealings.acknowledged}`,
      rangeWords(data.batches, data.committed),
      reportWords(data),
      Object.entries(backends)
        .map(([backend, rounds]) => `${backend} (${rounds})`)
        .join(', '),
    ]),
  };
}

function reportWords({ committed, dataReports }: SiteAccount['data']): string {
  if (committed === 0) return 'none';
  if (dataReports.opened === 0) return 'committed';
  return `changed ${dataReports.changes} times (${dataReports.opened} of ${committed} opened)`;
}

export function errorTable({ errors }: RunAccount): AccountTable {
  const number = (title: string) => ({ title, isNumber: true });
  return {
    columns: [{ title: 'Model' }, { title: 'Metric' }, number('Error'), number('Change'), number('Holdout rows')],
    rows: errors.map((error) => {
      const { value, change } = errorValueWords(error);
      const after =
        error.afterRound === undefined ? 'of an unknown round' : error.afterRound === 0 ? 'first' : `after round ${error.afterRound}`;
      return [after, shownText(error.metric), value, change, `${error.holdoutCount}`];
    }),
  };
}
