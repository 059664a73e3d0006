import type { LedgerAccount, RunAccount } from '../account/index.js';
import { contributionTable, epochTable, errorTable, serviceTable, siteTable, sumTable, planTable } from './account.rows.js';
import { closingWords } from './account.words.js';
import { errorChart } from './error.chart.js';
import { type Html, markup } from './html.markup.js';
import { roundCharts, roundLegend } from './round.chart.js';
import { tableMarkup, termsMarkup } from './table.markup.js';

const readerWords = {
  members: 'members of the consortium',
  'members-and-auditors': 'members and enrolled auditors',
  anyone: 'anyone',
} as const;

export function consortiumSection(account: LedgerAccount): Html {
  const { charter } = account;
  return markup`<h2>The consortium</h2>
    ${
      charter === undefined
        ? markup`<p>The verified entries hold no charter.</p> `
        : termsMarkup([
            ['Who may read the ledger', readerWords[charter.ledgerReaders]],
            ['Names of sites', charter.siteNames === 'plain' ? 'plain' : 'pseudonyms, which each site can open'],
            ['Cosignatures that a checkpoint needs', witnessWords(charter.witnessQuorum)],
            ['Witnesses outside the consortium', charter.witnesses.length === 0 ? 'none' : charter.witnesses.join(', ')],
          ])
    }${tableMarkup(siteTable(account), 'Sites: the companies that train together')}
    ${tableMarkup(planTable(account), 'Training plans, and who has approved a run of them')}`;
}

function witnessWords(quorum: number | 'majority'): string {
  if (quorum === 0) return 'none';
  return quorum === 'majority' ? 'those of more than half of the sites' : `${quorum}`;
}

/** @param id distinct in the page */
export function runSection(run: RunAccount, id: string): Html {
  return markup`<section class="run">
    <h2>Run ${run.run}</h2>
    ${termsMarkup([
      ['Outcome', closingWords(run)],
      ['Plan', markup`<span class="mono">${run.plan}</span>, run ${run.ordinal} of it`],
      ['Sites', run.sites.join(', ')],
    ])}
    <h3>Who contributed</h3>
    ${tableMarkup(contributionTable(run), 'Training rounds by where each site stood in them')} ${charts(run, id)}
    <h3>All sums, and who was not counted</h3>
    ${tableMarkup(sumTable(run), 'Every sum of this run except the confirmations of keys, in order')}
    <h3>Federated error</h3>
    ${errors(run, id)}
    <h3>Work for the others, and data</h3>
    ${tableMarkup(serviceTable(run), 'What sites did as key holders and attesters, and what they have told of their data')}
    <h3>Key epochs</h3>
    ${tableMarkup(epochTable(run), 'Who held the keys with which sums are opened')}
  </section> `;
}

function charts(run: RunAccount, id: string): Html {
  const drawn = roundCharts(run, `${id}-rounds`);
  if (drawn.length === 0) return markup`<p>No training round was decided up to this checkpoint.</p> `;
  const figures = drawn.map((chart) => markup`<figure>${chart}<figcaption>${roundLegend(run)}</figcaption></figure> `);
  return markup`${figures}
    <p>One column for each training round, one row for each site. The table of all sums below says the same in words.</p> `;
}

function errors(run: RunAccount, id: string): Html {
  if (run.errors.length === 0) return markup`<p>The ledger holds no evaluation of a model of this run.</p> `;
  const chart = errorChart(run, `${id}-error`);
  const figure =
    chart === undefined
      ? markup``
      : markup`<figure>
          ${chart}
          <figcaption>The table below holds the numbers.</figcaption>
        </figure> `;
  return markup`${figure}${tableMarkup(errorTable(run), 'Error over the records that sites hold back for this, all sites of the sum together; smaller is better')} `;
}
