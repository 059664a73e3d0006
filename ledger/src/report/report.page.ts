import type { LedgerAccount, Standing } from '../account/index.js';
import type { VerificationReport } from '../verify/index.js';
import { standingWords } from './account.words.js';
import { Html, markup } from './html.markup.js';
import { openingsSection, outcomeSection } from './outcome.section.js';
import { reportStyle } from './report.style.js';
import { consortiumSection, runSection } from './run.section.js';
import { termsMarkup } from './table.markup.js';

const meanings: Readonly<Record<Standing, string>> = {
  counted: 'The site signed its upload, and the upload is in the sum that was opened.',
  late: 'It had not answered when the list of the round was closed.',
  dropped: 'It was on the list, and its upload did not come in time.',
  refused: 'It declined to take part in the round.',
  absent: 'It was not connected.',
  'set-aside': 'Five sums in a row had waited for it in vain, so this one did not wait for it.',
  'left-out': 'It was not among those whose keys were in use.',
  'not-opened': 'It had done its part, and the sum of the round was not opened.',
  unproven: 'The operator says that it was counted; no upload signed by the site shows it.',
  unnamed: 'The ledger says nothing of it, against the rules.',
};

const notShown = [
  'No batch record, no process value and no update of a single site: none of these ever stands in the ledger.',
  'How much a contribution is worth. A round counted is a round counted, whatever the data behind it; credit is for the consortium to decide.',
  'Whether the data of a site are true. A site signs what it sends, and nobody else sees what it was computed from.',
  'Numbers of samples and batches that a site has not opened to the reader; they are shown as "committed".',
  'Times of day. The ledger orders acts; it does not say when they were done.',
  'Whether the published sums follow from the stored ciphertexts: "coferment-audit verify" and this report check signatures and rules, not the arithmetic.',
  'What happened after the checkpoint named above.',
];

/**
 * One page that asks nobody for anything: no script, no font, no picture from elsewhere, and a policy in it that forbids them. The same ledger gives the same bytes.
 * @returns an HTML document
 */
export function reportPage(verification: VerificationReport, account: LedgerAccount): string {
  return markup`<!DOCTYPE html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta
          http-equiv="Content-Security-Policy"
          content="default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"
        />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="referrer" content="no-referrer" />
        <title>Contribution ledger of ${account.consortium ?? 'a consortium'}: report of an audit</title>
        <style>
          ${new Html(reportStyle)}
        </style>
      </head>
      <body>
        <main>
          <h1>Contribution ledger of ${account.consortium ?? 'a consortium'}: report of an audit</h1>
          <p>
            Companies that ferment train a model together without showing each other their records. Every step is signed by whoever took it
            and stands in a ledger that can only grow. This page says what that ledger shows, and whether it can be relied on.
          </p>
          ${outcomeSection(verification)} ${openingsSection(account)}${consortiumSection(account)}
          ${account.runs.map((run, index) => runSection(run, `run-${index}`))}
          <section>
            <h2>What the words mean</h2>
            ${termsMarkup((Object.keys(meanings) as Standing[]).map((standing) => [standingWords[standing], meanings[standing]]))}
          </section>
          <section>
            <h2>What this report does not show</h2>
            <ul>
              ${notShown.map((line) => markup`<li>${line}</li> `)}
            </ul>
          </section>
          <section>
            <h2>How to check it again</h2>
            <p>
              With the exported ledger and the key of its log, on any computer, with no network and no account:
              <code>coferment-audit verify ./ledger-export --key VKEY</code>. The formats are public (C2SP tlog-tiles, signed-note and
              tlog-checkpoint; RFC 9162; in-toto statements in DSSE envelopes), so that it can be done without this program too.
            </p>
          </section>
        </main>
      </body>
    </html> `.markup;
}
