import { isatty } from 'node:tty';
import picocolors from 'picocolors';
import type { RecomputationReport, SumRecomputation } from '../recompute/index.js';
import { shownData } from '../report/index.js';
import type { CheckOutcome, VerificationReport } from '../verify/index.js';

const pc = picocolors.createColors(isatty(1) && picocolors.isColorSupported);

const MOST_SHOWN = 10;
const INDENT = ' '.repeat(12);

const marks: Readonly<Record<CheckOutcome, string>> = {
  holds: pc.green('holds    '),
  fails: pc.red('FAILS    '),
  unchecked: pc.yellow('unchecked'),
};

/** As a person reads it: what the sums were opened from, what came out, and what is wrong or missing. */
export function recomputationText(report: RecomputationReport): string {
  const { ledger, sums, verdict, summary } = shownData(report);
  const lines = [...ledgerLines(ledger), ''];
  for (const [index, sum] of sums.entries()) {
    if (sum.run !== sums[index - 1]?.run) lines.push(`Run ${sum.run}`);
    lines.push(...sumLines(sum));
  }
  if (sums.some(({ missing }) => missing.length > 0))
    lines.push(
      '',
      'Get what is missing from the coordinator, as the operator or as a site or auditor, into the same folder:',
      '  coferment export ledger --with-objects --out DIR --data ./coordinator --passphrase-file ./passphrase',
      '  coferment-agent ledger export --with-objects --out DIR --data /var/lib/coferment --passphrase-file /etc/coferment/passphrase',
    );
  const colour = verdict === 'holds' ? pc.green : verdict === 'does-not-hold' ? pc.red : pc.yellow;
  return [...lines, '', colour(`${sentence(summary)}.`), ''].join('\n');
}

function ledgerLines({ log, summary, checks }: VerificationReport): string[] {
  const failed = checks.flatMap(({ title, outcome, problems, detail }) =>
    outcome !== 'fails' ? [] : [`${marks.fails} ${title} ${pc.dim(`(${detail})`)}`, ...problems.slice(0, MOST_SHOWN).map(problemLine)],
  );
  return [log === undefined ? `Ledger: ${summary}` : `Ledger ${log.origin}, ${log.size} entries: ${summary}`, ...failed];
}

function sumLines(sum: SumRecomputation): string[] {
  const { outcome, kind, round, problems, missing, unchecked } = sum;
  const title = `Sum ${sum.sum}, ${kind}${round > 0 ? ` of round ${round}` : ''} ${pc.dim(`(entry ${sum.entry})`)}`;
  const details = [
    ...(sum.opened ? [openedText(sum), sharesText(sum)] : []),
    ...(outcome === 'holds' && sum.modelOut !== 'none' ? [`model: ${sum.modelOut}`] : []),
    ...(outcome === 'holds' ? errorText(sum) : []),
    ...(unchecked === undefined ? [] : [unchecked]),
  ];
  return [
    `${marks[outcome]} ${title}`,
    ...details.map((text) => `${INDENT}${text}`),
    ...problems.slice(0, MOST_SHOWN).map(problemLine),
    ...missing.slice(0, MOST_SHOWN).map(({ what, entry, path }) => `${INDENT}missing: ${what}, ${path} (named in ${entry})`),
    ...more(problems.length + missing.length),
  ];
}

function errorText({ metrics }: SumRecomputation): string[] {
  if (metrics === undefined || metrics.rmse === null) return [];
  return [`error of the incoming model: rmse ${metrics.rmse} over ${metrics.holdoutCount} holdout rows`];
}

function openedText({ counted, blocks, coefficients }: SumRecomputation): string {
  const uploads = counted.length === 1 ? 'the upload' : `${counted.length} uploads`;
  return `${uploads} of ${counted.join(', ')} opened again: ${coefficients} coefficients in ${blocks} ${blocks === 1 ? 'block' : 'blocks'}, as published`;
}

function sharesText({ holders, threshold }: SumRecomputation): string {
  const spare = holders.length - threshold;
  const names = `with the decryption shares of ${holders.join(', ')}`;
  if (spare === 0) return `${names}: exactly the ${threshold} that it takes, so nothing checks them against each other`;
  return `${names}: ${spare} more than the ${threshold} that it takes, and they agree`;
}

function problemLine({ where, problem }: { where: string; problem: string }): string {
  return `${INDENT}${where}: ${problem}`;
}

function more(all: number): string[] {
  return all > MOST_SHOWN ? [`${INDENT}there may be more (--json lists all)`] : [];
}

function sentence(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
