import type { RunReport, StatusReport } from './status.report.js';

/** The report for a terminal, most urgent first. */
export function renderStatus(report: StatusReport): string {
  return [
    ...splitViews(report),
    heading(report),
    '',
    ...waits(report),
    ...later(report),
    ...report.runs.flatMap(runLines),
    ...refusals(report),
    ...sent(report),
  ].join('\n');
}

/** Before all else: nothing else that this site shows or does can be relied on. */
function splitViews({ splitViews: found }: StatusReport): string[] {
  if (found.length === 0) return [];
  return [
    'STOPPED: THE LOG IS NOT THE SAME FOR EVERYBODY. This site signs nothing in any run until you decide.',
    ...found.map(({ id, what, foundMs }) => `  evidence ${id} (${time(foundMs)}): ${what}`),
    '  → coferment-agent ledger evidence',
    '',
  ];
}

function heading(report: StatusReport): string {
  const serving =
    report.servingPid === null ? 'not running (start it with: coferment-agent serve …)' : `running as process ${report.servingPid}`;
  const connection =
    report.connection === null ? 'never connected' : `${report.connection.state} since ${time(report.connection.changedMs)}`;
  return [
    `Site ${report.site} of consortium ${report.consortium}`,
    `Agent ${serving}; ${connection} (${report.coordinator}); certificate valid until ${report.certificateExpiresAt}`,
    ...(report.storage === null ? [] : [`STORAGE: ${report.storage}`]),
    ...(report.connection?.state === 'disconnected' ? [report.connection.detail] : []),
    report.cosigned === null
      ? 'No checkpoint of the ledger cosigned yet'
      : `Ledger cosigned up to ${report.cosigned.size} entries (${time(report.cosigned.atMs)}), as far as this site can tell without contradiction`,
  ].join('\n');
}

function waits(report: StatusReport): string[] {
  if (report.waits.length === 0) return ['This site keeps nobody waiting.', ''];
  return [
    'This site waits for you:',
    ...report.waits.flatMap((wait) => [`  ${wait.reason} (since ${time(wait.sinceMs)})`, `  → ${wait.whatToDo}`]),
    '',
  ];
}

function later(report: StatusReport): string[] {
  if (report.later.length === 0) return [];
  return ['Goes on by itself:', ...report.later.map(({ run, reason, sinceMs }) => `  ${run}: ${reason} (since ${time(sinceMs)})`), ''];
}

function runLines(run: RunReport): string[] {
  const lines = [`Run ${run.run} (plan ${run.plan.slice(0, 16)}…, ordinal ${run.ordinal}): ${run.standing}`];
  lines.push(
    `  ${run.roundsApplied} rounds applied here, last sum ${run.appliedSum}${run.step === null ? '' : `; sum ${run.step.sum} (${run.step.kind}) is ${run.step.state}`}`,
  );
  const view = run.coordinator;
  if (view !== null && !run.isOver) {
    const until = view.deadlineMs > 0 ? ` until ${time(view.deadlineMs)}` : '';
    const others = view.waitingFor.length === 0 ? '' : `; waits for ${view.waitingFor.join(', ')}${until}`;
    lines.push(
      `  coordinator (${time(view.seenMs)}): ${view.state}, round ${view.round} of ${view.rounds}${view.roundState === '' ? '' : ` ${view.roundState}`}${others}`,
    );
    if (view.cause !== '') lines.push(`  ${view.cause}`);
  }
  if (view !== null && !run.isOver && view.cause) lines.push(`  ${view.cause}`);
  return [...lines, ''];
}

function refusals(report: StatusReport): string[] {
  if (report.refusals.length === 0) return [];
  return ['Refused:', ...report.refusals.map((refusal) => `  ${time(refusal.atMs)} ${refusal.run} ${refusal.message}`), ''];
}

function sent(report: StatusReport): string[] {
  if (report.sent.length === 0) return ['Nothing has left this site.'];
  return ['What has left this site:', ...report.sent.map((item) => `  ${item.name}: ${item.objects} times, ${item.bytes} bytes`)];
}

function time(ms: number): string {
  return new Date(ms).toISOString().replace('T', ' ').slice(0, 19);
}
