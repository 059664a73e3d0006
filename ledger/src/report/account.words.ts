import type { EpochRecord, ErrorRecord, OpenedRange, RunAccount, RunStatus, SiteRecord, Standing, SumRecord } from '../account/index.js';
import { shownText } from './shown.text.js';

export const standingWords: Readonly<Record<Standing, string>> = {
  counted: 'counted',
  late: 'late',
  dropped: 'dropped',
  refused: 'refused',
  absent: 'absent',
  'set-aside': 'set aside',
  'left-out': 'left out of the key epoch',
  'not-opened': 'ready, but the sum was not opened',
  unproven: 'said to be counted, not shown',
  unnamed: 'not named',
};

export const statusWords: Readonly<Record<RunStatus, string>> = {
  open: 'open',
  completed: 'completed',
  aborted: 'aborted by the operator',
  failed: 'failed',
};

export function membershipWords({ membership, reason }: SiteRecord): string {
  switch (membership) {
    case 'enrolled':
      return 'enrolled';
    case 'left':
      return `left: ${shownText(reason ?? '')}`;
    case 'revoked':
      return `revoked: ${shownText(reason ?? '')}`;
  }
}

export function sumWords({ kind, round, sum }: SumRecord): string {
  switch (kind) {
    case 'update':
      return round === undefined ? `training (sum ${sum})` : `round ${round}`;
    case 'evaluate':
      return `evaluation after round ${round ?? '?'}`;
    case 'statistics':
      return 'statistics';
    case 'confirm':
      return 'confirmation of a key';
  }
}

export function outcomeWords({ outcome, troubles, continuedAs }: SumRecord): string {
  const on = continuedAs === undefined ? '' : `; went on as sum ${continuedAs}`;
  const last = troubles.at(-1);
  const why = last === undefined || outcome === 'opened' ? '' : `: ${shownText(last.reason)}`;
  const named = last === undefined || last.named.length === 0 || outcome === 'opened' ? '' : `, at fault: ${last.named.join(', ')}`;
  switch (outcome) {
    case 'opened':
      return 'opened';
    case 'abandoned':
      return `abandoned${why}${on}`;
    case 'garbled':
      return `could not be opened${why}${named}${on}`;
    case 'stuck':
      return `stuck${why}${on}`;
    case 'frozen':
      return `set fixed, not opened${on}`;
    case 'collecting':
      return `uploads came, nothing decided${on}`;
  }
}

export function countedWords({ counted, unproven, outcome, frozenIn }: SumRecord): string {
  if (frozenIn === undefined) return '';
  const names = counted.map(({ site }) => site).join(', ') || 'nobody';
  const claimed = unproven.length === 0 ? '' : `; not shown by an upload: ${unproven.join(', ')}`;
  return `${names}${claimed}${outcome === 'opened' ? '' : ' (in the set, not opened)'}`;
}

export function excludedWords({ excluded }: SumRecord): string {
  return excluded
    .map(({ site, reason, detail = '' }) => {
      const words = standingWords[reason === 'ready' ? 'not-opened' : reason];
      return `${site} (${words}${detail === '' ? '' : `: ${shownText(detail)}`})`;
    })
    .join(', ');
}

/** `committed` until somebody opens it: the ledger holds the number under a salt. */
export function rangeWords({ opened, smallest, largest }: OpenedRange, committed: number): string {
  if (committed === 0) return 'none';
  if (opened === 0) return 'committed';
  const value = smallest === largest ? `${smallest}` : `${smallest} to ${largest}`;
  return opened === committed ? value : `${value} (${opened} of ${committed} opened)`;
}

export function errorValueWords({ value, change }: ErrorRecord): { value: string; change: string } {
  const sign = change !== undefined && change > 0 ? '+' : '';
  return { value: digits(value), change: change === undefined ? '' : `${sign}${digits(change)}` };
}

function digits(value: number): string {
  return `${Number(value.toPrecision(6))}`;
}

export function epochWords({ reason, replaced, leftOut, left }: EpochRecord): string {
  return [
    ...(reason === undefined ? [] : [shownText(reason)]),
    ...(leftOut.length === 0 ? [] : [`without ${leftOut.join(', ')}`]),
    ...(replaced.length === 0 ? [] : [`instead of key holder ${replaced.join(', ')}`]),
    ...left.map((site) => `${site.site} has left it (${site.reason === 'restored' ? 'restored from a backup' : shownText(site.reason)})`),
  ].join('; ');
}

export function closingWords({ closing, status, rounds }: RunAccount): string {
  const counted = `${rounds} training ${rounds === 1 ? 'round' : 'rounds'} opened`;
  if (closing === undefined) return `${statusWords[status]}, ${counted} up to this checkpoint`;
  const agrees = closing.agrees
    ? 'what the operator said at its end agrees'
    : `the operator said ${closing.rounds} at its end, WHICH DOES NOT AGREE`;
  return `${statusWords[status]}, ${counted}; ${agrees}`;
}
