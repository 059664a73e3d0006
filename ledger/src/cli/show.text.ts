import { isatty } from 'node:tty';
import picocolors from 'picocolors';
import type { LedgerAccount, RunAccount } from '../account/index.js';
import {
  type AccountTable,
  closingWords,
  contributionTable,
  epochTable,
  errorTable,
  planTable,
  serviceTable,
  shownData,
  siteTable,
  sumTable,
} from '../report/index.js';
import type { VerificationReport } from '../verify/index.js';
import type { VerifiedAccount } from './account.reading.js';
import { tableText } from './table.text.js';

/** Colour on a terminal only, as in the report of `verify`. */
const pc = picocolors.createColors(isatty(1) && picocolors.isColorSupported);
const MAX_PROBLEMS_SHOWN = 5;

/** @param width characters of a line */
export function showText(verified: VerifiedAccount, width: number): string {
  const { verification, account } = shownData(verified);
  const section = (title: string, table: AccountTable) => (table.rows.length === 0 ? [] : ['', pc.bold(title), tableText(table, width)]);
  return [
    ...verdictLines(verification),
    ...openingLines(account),
    ...consortiumLines(account),
    ...section('Sites', siteTable(account)),
    ...section('Plans', planTable(account)),
    ...account.runs.flatMap((run) => [
      '',
      pc.bold(`Run ${run.run}`),
      `Plan ${run.plan}, run ${run.ordinal} of it: ${closingWords(run)}`,
      ...section('Key epochs', epochTable(run)),
      ...section('Sums', sumTable(run)),
      ...confirmLine(run),
      ...section('Contributions in the whole run, in training rounds', contributionTable(run)),
      ...section('Work for the others, and data', serviceTable(run)),
      ...section('Federated error', errorTable(run)),
    ]),
    '',
  ].join('\n');
}

/** First of all whether it may be believed: what stands below is what signed statements say, and in a ledger that does not hold they may contradict each other. */
function verdictLines({ log, verdict, summary, checks }: VerificationReport): string[] {
  const ledger =
    log === undefined ? [] : [`Ledger ${log.origin}, ${log.size} entries, root ${log.root}`, `Signed by ${log.signedBy.join(', ')}`];
  switch (verdict) {
    case 'holds':
      return [...ledger, pc.green('This ledger holds.')];
    case 'self-consistent':
      return [
        ...ledger,
        pc.yellow(`This ledger is ${summary}. Whoever made this export could have made up all of it: give --key or --policy.`),
      ];
    case 'could-not-check':
      return [
        ...ledger,
        pc.yellow(`This ledger ${summary}. Below stands only what its verified statements say.`),
        ...checks.flatMap(({ outcome, optional, title, detail }) =>
          outcome === 'unchecked' && !optional ? [`  unchecked: ${title} (${detail})`] : [],
        ),
      ];
    case 'does-not-hold': {
      const problems = checks.flatMap((check) => check.problems).map(({ where, problem }) => `  ${where}: ${problem}`);
      const more = problems.length - MAX_PROBLEMS_SHOWN;
      return [
        ...ledger,
        pc.red(`THIS LEDGER DOES NOT HOLD (${summary}). Below stands only what statements with a valid signature say; do not rely on it.`),
        ...problems.slice(0, MAX_PROBLEMS_SHOWN),
        ...(more > 0 ? [`  and ${more} more: coferment-audit verify lists them`] : []),
      ];
    }
  }
}

function openingLines({ openings: { verified, problems } }: LedgerAccount): string[] {
  if (verified + problems.length === 0) return [];
  return [
    `${verified} opened ${verified === 1 ? 'number agrees' : 'numbers agree'} with what was committed.`,
    ...problems.map(({ contribution, problem }) => pc.red(`  opening of contribution ${contribution} DOES NOT HOLD: ${problem}`)),
  ];
}

function consortiumLines({ consortium, charter }: LedgerAccount): string[] {
  if (consortium === undefined) return [];
  if (charter === undefined) return [`Consortium ${consortium}`];
  const { ledgerReaders, siteNames, witnessQuorum, witnesses } = charter;
  return [
    `Consortium ${consortium}; the ledger is for ${ledgerReaders}, site names ${siteNames}, cosignatures needed ${witnessQuorum}`,
    ...witnesses.map((vkey) => `Witness outside the consortium: ${vkey}`),
  ];
}

function confirmLine({ sums }: RunAccount): string[] {
  const confirms = sums.filter(({ kind }) => kind === 'confirm');
  if (confirms.length === 0) return [];
  return [
    `and ${confirms.filter(({ outcome }) => outcome === 'opened').length} of ${confirms.length} confirmations of a site's key opened`,
  ];
}
