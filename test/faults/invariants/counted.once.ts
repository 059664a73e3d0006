import type { ConsortiumStores, Invariant } from './stores.js';

/** No update is counted twice: not within a sum, not in two sums of one round, not in the account that closes the run. */
export const countedOnce: Invariant = {
  name: 'no update is counted twice',
  violations: (stores) => [
    ...doubled(
      stores.acts.map(({ run, site, slot, statement }) => `${statement.name} of ${site} in slot ${slot} of ${run}`),
      'is stored',
    ),
    ...stores.rounds.flatMap(({ run, sum, counted }) =>
      doubled(
        counted.map((site) => `${site} in sum ${sum} of ${run}`),
        'is counted',
      ),
    ),
    ...doubled(
      stores.rounds
        .filter(({ state, kind }) => state === 'closed' && kind !== 'confirm')
        .map(({ run, kind, round }) => `${kind} ${round} of ${run}`),
      'is closed',
    ),
    ...doubled(
      stores.ledger.flatMap(({ statement: { name, predicate } }) =>
        name === 'aggregate' || name === 'round-frozen' ? [`${name} of sum ${predicate.sum} of ${predicate.run}`] : [],
      ),
      'is in the ledger',
    ),
    ...wrongAccounts(stores),
  ],
};

/** The account of a closed run says how often each site was counted: as often as closed updates name it. */
function wrongAccounts({ ledger, rounds }: ConsortiumStores): string[] {
  return ledger.flatMap(({ statement }) => {
    if (statement.name !== 'run-closed') return [];
    const { run, contributions } = statement.predicate;
    const updates = rounds.filter((round) => round.run === run && round.kind === 'update' && round.state === 'closed');
    return contributions.flatMap(({ site, updates: told }) => {
      const counted = updates.filter((round) => round.counted.includes(site)).length;
      return counted === told ? [] : [`the account of ${run} has ${told} updates of ${site}; ${counted} were counted`];
    });
  });
}

export function doubled(names: readonly string[], what: string): string[] {
  const twice = names.filter((name, index) => names.indexOf(name) !== index);
  return [...new Set(twice)].map((name) => `${name} ${what} ${names.filter((other) => other === name).length} times`);
}
