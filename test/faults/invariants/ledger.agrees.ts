import { isLedgered } from '@coferment/consortium';
import { doubled } from './counted.once.js';
import type { Invariant } from './stores.js';

/** What the database has of a run, the ledger has, and the other way round. */
export const ledgerAgrees: Invariant = {
  name: 'ledger and database agree',
  violations: ({ acts, ledger }) => {
    const opened = new Set(acts.flatMap(({ run, statement }) => (statement.name === 'run-opened' ? [run] : [])));
    const logged = new Set(ledger.map(({ digest }) => digest));
    const taken = new Set(acts.map(({ digest }) => digest));
    return [
      ...acts.flatMap(({ run, site, digest, statement: { name } }) => {
        // A run that was never opened in the ledger is not closed there either.
        if (!isLedgered(name) || logged.has(digest) || (name === 'run-closed' && !opened.has(run))) return [];
        return [`${name} of ${site} in ${run} is in the database and not in the ledger`];
      }),
      ...ledger.flatMap(({ index, digest, statement: { name, predicate } }) =>
        !('run' in predicate) || taken.has(digest)
          ? []
          : [`entry ${index} (${name} of ${predicate.run}) is in the ledger and not in the database`],
      ),
      ...doubled(
        ledger.map(({ digest }) => `the statement ${digest}`),
        'is in the ledger',
      ),
      ...ledger.flatMap(({ index }, place) => (index === place ? [] : [`entry ${index} of the ledger stands at place ${place}`])),
    ];
  },
};
