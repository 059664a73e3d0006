import type { LedgerAccount } from '../account/index.js';
import type { CheckOutcome, CheckResult, VerificationReport, Verdict } from '../verify/index.js';
import { type Html, markup } from './html.markup.js';
import { tableMarkup, termsMarkup } from './table.markup.js';

const verdictWords: Readonly<Record<Verdict, { short: string; long: string }>> = {
  holds: {
    short: 'This ledger holds.',
    long: 'Everything in the list below that says “holds” was checked, with a key that the reader had from elsewhere, and nothing was found to be wrong.',
  },
  'self-consistent': {
    short: 'This ledger is consistent with itself; its key was not checked.',
    long: 'Nothing was found to be wrong, but the key was taken from the export itself. Whoever made the export could have made up all of it. Ask the consortium for the key of its ledger, on paper or by telephone, and have this report made again with it.',
  },
  'could-not-check': {
    short: 'This ledger could not be checked.',
    long: 'Nothing was found to be wrong in what could be looked at, but something that is needed is missing. What follows is no more than what the verified statements say.',
  },
  'does-not-hold': {
    short: 'This ledger does not hold.',
    long: 'At least one check fails: entries were changed, forged or left out, or they break the rules that the consortium agreed on. What follows is what statements with a valid signature say. Do not rely on it.',
  },
};

const outcomeWords: Readonly<Record<CheckOutcome, string>> = { holds: 'holds', fails: 'FAILS', unchecked: 'not checked' };

/** A page stays readable with a ledger in which everything is wrong. */
const MAX_PROBLEMS_SHOWN = 100;

export function outcomeSection({ verdict, log, consortium, operatorKey, operatorKeyPinned, checks }: VerificationReport): Html {
  const { short, long } = verdictWords[verdict];
  const problems = checks.flatMap((check) => check.problems.map((problem) => ({ title: check.title, ...problem })));
  const first = problems.slice(0, MAX_PROBLEMS_SHOWN);
  return markup`<section class="outcome ${verdict}" role="note" aria-label="Outcome">
      <p><strong>${short}</strong></p>
      <p>${long}</p>
    </section>
    ${
      problems.length === 0
        ? markup``
        : markup`<h2>What is wrong</h2>
            <ul>
              ${first.map(({ title, where, problem }) => markup`<li><span class="fails">${where}</span>: ${problem} (check: ${title})</li> `)}
            </ul>
            ${problems.length > first.length ? markup`<p>and ${problems.length - first.length} more, which <code>coferment-audit verify</code> lists.</p>` : markup``}`
    }
    <h2>What was looked at</h2>
    ${termsMarkup([
      ['Consortium', consortium ?? 'not named by a verified entry'],
      ['Ledger', log?.origin ?? 'no readable checkpoint'],
      ['Entries', log?.size ?? 'unknown'],
      ['Checkpoint (root hash)', mono(log?.root ?? 'none')],
      ['Signed by', mono(log?.signedBy.join(', ') ?? 'nobody whose key is known')],
      ['Witnesses', witnessDetail(checks)],
      [
        'Key of the operator',
        markup`${mono(operatorKey ?? 'unknown')} ${operatorKeyPinned ? '(as given by the reader)' : '(as the ledger names it)'}`,
      ],
    ])}
    <p>Two reports are about the same ledger in the same state if, and only if, the root hash is the same.</p>
    ${tableMarkup(
      {
        columns: [{ title: 'Check' }, { title: 'Outcome' }, { title: 'Looked at' }],
        rows: checks.map(({ title, outcome, detail }) => [title, outcomeWords[outcome], detail]),
      },
      'What was checked, and what came of it',
    )}`;
}

export function openingsSection({ openings: { verified, problems } }: LedgerAccount): Html {
  if (verified + problems.length === 0) return markup``;
  return markup`<h2>Numbers that sites have opened</h2>
    <p>
      Numbers of samples and batches stand in the ledger under a commitment. ${verified} of them ${verified === 1 ? 'was' : 'were'} opened
      to the reader and ${verified === 1 ? 'agrees' : 'agree'} with it.
    </p>
    ${
      problems.length === 0
        ? markup``
        : markup`<ul>
            ${problems.map(({ contribution, problem }) => markup`<li><span class="fails">Does not hold</span>: contribution ${contribution}: ${problem}</li> `)}
          </ul> `
    }`;
}

function mono(text: string): Html {
  return markup`<span class="mono">${text}</span>`;
}

/** By the reader's own policy, where it asks for witnesses; otherwise by the charter that stands in the ledger. */
function witnessDetail(checks: readonly CheckResult[]): string {
  const asked = (['witnesses', 'charter-witnesses'] as const).map((id) => checks.find((check) => check.id === id));
  return (asked.find((check) => check !== undefined && !check.optional) ?? asked[0])?.detail ?? 'not looked at';
}
