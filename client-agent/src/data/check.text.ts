import type { PlanCheck } from './plan.check.js';
import { shown } from './quality.flags.js';

/** The check of a plan as a process engineer reads it: what would be used, how it lies to the plan's ranges, and what would leave the site. */
export function renderCheck(check: PlanCheck): string {
  const { site, plan, planDigest, batches, trainRows, holdoutRows, dropped, columns, flags, leaves, problems } = check;
  const width = Math.max(4, ...columns.map(({ name }) => name.length));
  const lines = [
    `Plan ${plan} (${planDigest.slice(0, 16)}) on the data of site ${site}`,
    '',
    `Rows: ${trainRows} to train on, ${holdoutRows} held out to test on`,
    ...batches.map(
      ({ id, part, rows }) =>
        `  ${id}: ${part === 'unused' ? 'not used, it gives no row' : `${rows} rows, ${part === 'train' ? 'training' : 'held out'}`}`,
    ),
    ...dropped.map(({ reason, count }) => `  left out: ${count} ${count === 1 ? 'instant' : 'instants'}, because ${reason}`),
    '',
    'Values of the training rows, beside the public ranges of the plan',
    ...columns.map(
      ({ name, low, high, planLow, planHigh }) =>
        `  ${name.padEnd(width)}  ${shown(low)} to ${shown(high)}  (plan: ${shown(planLow)} to ${shown(planHigh)})`,
    ),
    '',
    'What would leave this site in the whole run',
    ...leaves.map(({ name, bytes, times }) => `  ${name}: ${times} × ${bytes.toLocaleString('en')} bytes`),
    '',
    problems.length === 0 ? 'Nothing stands against this plan.' : 'Before you approve',
    ...problems.map(({ text }) => `  ${text}`),
    ...(flags.length === 0
      ? []
      : [`  The data report has ${flags.length} ${flags.length === 1 ? 'finding' : 'findings'} in the variables of this plan.`]),
  ];
  return `${lines.join('\n')}\n`;
}
