import { formatFingerprint } from '@coferment/consortium';
import type { ExcludedSite, GetStatusResponse, RoundStatus, RunStatus, SetAsideSite, WatchRunResponse } from '@coferment/proto';
import { newSetText } from './set.text.js';
import { refusalText } from '../runs/run.refusals.js';
import { coloursOf } from './terminal.colours.js';

const pc = coloursOf(1);

/** Of each run, where all runs are shown. */
const SHOWN_REFUSALS = 5;

const time = (ms: number): string => (ms === 0 ? 'never' : new Date(ms).toISOString().replace('T', ' ').slice(0, 19));

export function statusText(status: GetStatusResponse): string {
  const sites = status.sites.map((site) => `  ${site.site.padEnd(20)} ${site.state.padEnd(9)} last heard of ${time(site.lastPollMs)}`);
  const runs = status.runs.map((run) => indent(runText(run, false)));
  return [
    `Consortium "${status.consortium}", ledger ${status.origin} with ${status.ledgerSize} entries`,
    `Key of the ledger: ${status.logVkey}`,
    'Sites:',
    ...(sites.length === 0 ? ['  none yet. Invite one: coferment invite SITE --out FILE'] : sites),
    'Runs:',
    ...(runs.length === 0 ? ['  none yet. Publish a plan: coferment plan publish FILE'] : runs),
  ].join('\n');
}

export function runText(run: RunStatus, withRounds = true): string {
  const lines = [
    `${pc.bold(run.run)}  plan "${run.planName}" (${run.ordinal}. run)  ${pc.bold(run.state)}`,
    `rounds ${run.roundsClosed} of ${run.roundsPlanned}; ${run.sites.length} sites, ${run.minContributors} must contribute, ${run.threshold} of ${run.keyHolders.length} key holders open a sum`,
    `key epoch ${run.epoch}${run.leftOut.length === 0 ? '' : ` without ${run.leftOut.join(', ')}`}; fingerprint ${formatFingerprint(run.fingerprint)}`,
  ];
  if (run.notApproved.length > 0) lines.push(`had not approved in time: ${run.notApproved.join(', ')}`);
  if (run.startAtMs > 0) lines.push(`starts at ${time(run.startAtMs)} UTC at the earliest`);
  if (run.pausedMs > 0) lines.push(`paused since ${time(run.pausedMs)} UTC`);
  if (run.released) lines.push('its model is released to all sites');
  if (run.waitingFor.length > 0)
    lines.push(`waits for ${run.waitingFor.join(', ')}${run.deadlineMs > 0 ? `, at most until ${time(run.deadlineMs)}` : ''}`);
  if (run.cause !== '') lines.push(pc.red(run.cause));
  lines.push(...run.setAside.map((aside) => asideText(run.run, aside)));
  if (run.whatToDo !== '') lines.push(`what to do: ${run.whatToDo.replaceAll(/(?:^| )\((?=[1-3]\) )/g, '\n  (')}`);
  if (run.newSet !== undefined) lines.push(newSetText(run.newSet));
  const refusals = run.refusals.map((refusal) => `refused ${time(refusal.timeMs)}: ${refusalText(refusal)}`);
  // The newest say what holds now; all of them stand in the run itself.
  lines.push(...(withRounds ? refusals : refusals.slice(-SHOWN_REFUSALS)));
  return [
    ...lines,
    ...(withRounds ? run.rounds.flatMap((round) => [indent(roundText(round)), ...round.excluded.map(outcomeText)]) : []),
  ].join('\n');
}

/** One run a line, and below it what it waits for. */
export function runListText(runs: readonly RunStatus[]): string {
  if (runs.length === 0) return 'No run was launched yet. Publish a plan: coferment plan publish FILE';
  const width = Math.max(...runs.map(({ run }) => run.length));
  return runs.map((run) => [runListLine(run, width), ...waitLine(run)].join('\n')).join('\n');
}

function runListLine(run: RunStatus, width: number): string {
  const state = run.released ? `${run.state}, released` : run.state;
  return [
    run.run.padEnd(width),
    pc.bold(state.padEnd(19)),
    `opened ${time(run.openedMs)}`,
    `${run.roundsClosed} of ${run.roundsPlanned} rounds`,
    `"${run.planName}", ${run.ordinal}. run`,
    `sites ${run.sites.join(', ')}`,
  ].join('  ');
}

function waitLine(run: RunStatus): string[] {
  if (run.waitingFor.length === 0) {
    const start = run.state === 'awaiting-approval' && run.startAtMs > 0 ? [`  starts at ${time(run.startAtMs)} UTC`] : [];
    return run.cause === '' ? start : [`  ${run.cause}`];
  }
  const until = run.deadlineMs > 0 ? `, at most until ${time(run.deadlineMs)}` : '';
  return [`  waits for ${run.waitingFor.join(', ')}${until}`];
}

export function eventText(event: WatchRunResponse): string {
  const parts = [
    time(event.timeMs),
    event.type.padEnd(11),
    event.site,
    event.round === undefined ? '' : roundText(event.round),
    event.text,
  ];
  if (event.type === 'run-state') parts.push(pc.bold(event.state));
  return parts.filter((part) => part !== '').join('  ');
}

function roundText(round: RoundStatus): string {
  const name = round.kind === 'update' ? `round ${round.round}` : round.kind;
  const metric = round.metric === undefined ? '' : `  rmse ${round.metric.toPrecision(5)}`;
  const excluded = round.excluded.map(({ site, reason }) => `${site} ${reason}`).join(', ');
  return `sum ${round.sum} (${name}, attempt ${round.attempt}) ${round.state}${metric}${excluded === '' ? '' : `  without ${excluded}`}`;
}

/** One line for each site that the sum does not count, where there is more to say than the reason. */
function outcomeText({ site, reason, detail }: ExcludedSite): string {
  return `      ${site} ${reason}${detail === '' ? '' : `: ${detail}`}`;
}

function asideText(run: string, { site, reasons }: SetAsideSite): string {
  return `${pc.bold('set aside')}: ${site} (${reasons.join(', ')}); no sum waits for it, and it is back with the first that it is in time for. To wait for it again at once: coferment runs readmit ${run} ${site}`;
}

function indent(text: string): string {
  return text.replaceAll(/^/gm, '  ');
}
