import { isatty } from 'node:tty';
import picocolors from 'picocolors';
import { shownData } from '../report/index.js';
import type { CheckOutcome, CheckResult, VerificationReport } from '../verify/index.js';

/** Colour on a terminal only: left to itself, or given undefined as isTTY is in a pipe, the library colours a pipe too when CI is set. */
const pc = picocolors.createColors(isatty(1) && picocolors.isColorSupported);

const MAX_PROBLEMS_SHOWN = 10;

const marks: Readonly<Record<CheckOutcome, string>> = {
  holds: pc.green('holds    '),
  fails: pc.red('FAILS    '),
  unchecked: pc.yellow('unchecked'),
};

/** The report as a person reads it: what was checked, in plain words, and what came of it. */
export function reportText(report: VerificationReport): string {
  const { log, consortium, operatorKey, operatorKeyPinned, totals, checks, verdict, summary } = shownData(report);
  const lines: string[] = [];
  if (log) lines.push(`Ledger ${log.origin}, ${log.size} entries, root ${log.root}`, `Signed by ${log.signedBy.join(', ')}`);
  if (consortium) lines.push(`Consortium ${consortium}`);
  if (operatorKey)
    lines.push(`Operator key ${operatorKey} (${operatorKeyPinned ? 'as given' : 'from the first entry; give --operator-key to pin it'})`);
  lines.push('', ...checks.flatMap(checkLines));
  for (const { run, rounds, contributions } of totals) {
    lines.push('', `Run ${run}: ${rounds} rounds`, ...contributions.map(({ site, updates }) => `  ${site}: counted in ${updates}`));
  }
  const colour = verdict === 'holds' ? pc.green : verdict === 'does-not-hold' ? pc.red : pc.yellow;
  return [...lines, '', colour(`This ledger ${verdict === 'self-consistent' ? `is ${summary}` : summary}.`), ''].join('\n').trimStart();
}

function checkLines({ title, outcome, detail, problems }: CheckResult): string[] {
  const shown = problems.slice(0, MAX_PROBLEMS_SHOWN).map(({ where, problem }) => `            ${where}: ${problem}`);
  const more =
    problems.length > MAX_PROBLEMS_SHOWN ? [`            and ${problems.length - MAX_PROBLEMS_SHOWN} more (--json lists all)`] : [];
  return [`${marks[outcome]} ${title} ${pc.dim(`(${detail})`)}`, ...shown, ...more];
}
