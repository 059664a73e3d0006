import type { BatchSummary, DataFlag, DataReport } from './data.report.js';
import { shown } from './quality.flags.js';

const LONGEST_FLAG_LIST = 40;

/** The data report as a process engineer reads it: what was found, batch by batch, then what to look at. Plain text, at most 120 characters wide where names allow. */
export function renderReport(report: DataReport): string {
  const rows = report.files.reduce((sum, file) => sum + file.rows - file.notSelected, 0);
  const lines = [
    `Data of site ${report.site} (${report.scale} scale): ${count(report.batches.length, 'batch', 'batches')}, ${count(rows, 'row')} from ${count(report.files.length, 'file')}.`,
    '',
    'Files',
    ...report.files.map(({ source, file, rows: read, notSelected }) => {
      const left = notSelected > 0 ? `, ${notSelected} of them other batches that the mapping does not select` : '';
      return `  ${file} (${source}): ${count(read, 'row')}${left}`;
    }),
    ...report.batches.flatMap((batch) => ['', ...describeBatch(batch)]),
    '',
    ...describeFlags(report.flags),
  ];
  return `${lines.join('\n')}\n`;
}

function describeBatch({ id, fromH, toH, phaseStarts, samples, variables }: BatchSummary): string[] {
  const phases = Object.entries(phaseStarts).map(([phase, hour]) => `${phase} at hour ${shown(hour)}`);
  const width = Math.max(...variables.map(({ variable }) => variable.length));
  return [
    `Batch ${id}: hour ${shown(fromH)} to ${shown(toH)}, ${count(samples, 'sample')}${phases.length > 0 ? `; ${phases.join(', ')}` : ''}`,
    ...variables.map(({ variable, unit, role, records, missing, low, high }) => {
      const range = low === undefined || high === undefined ? 'no value' : `${shown(low)} to ${shown(high)} ${unit}`;
      return `  ${variable.padEnd(width)}  ${role.padEnd(7)}  ${count(records, 'value').padStart(13)}  ${range}${missing > 0 ? `  (${missing} empty)` : ''}`;
    }),
  ];
}

function describeFlags(flags: readonly DataFlag[]): string[] {
  if (flags.length === 0) return ['Nothing to look at: every value is in range, no pauses, no stuck sensors, no repeated rows.'];
  const shownFlags = flags.slice(0, LONGEST_FLAG_LIST).map(({ kind, batch, variable, file, line, text }) => {
    const where = [batch, variable].filter((part) => part !== undefined).join(', ');
    const place = file === undefined ? '' : ` [${file}${line === undefined ? '' : `, line ${line}`}]`;
    return `  ${kind}${where === '' ? '' : ` (${where})`}: ${text}${place}`;
  });
  const more = flags.length > LONGEST_FLAG_LIST ? [`  and ${flags.length - LONGEST_FLAG_LIST} more in the JSON report`] : [];
  return [`To look at (the data were kept as they are): ${count(flags.length, 'finding')}`, ...shownFlags, ...more];
}

function count(amount: number, one: string, many = `${one}s`): string {
  return `${amount} ${amount === 1 ? one : many}`;
}
