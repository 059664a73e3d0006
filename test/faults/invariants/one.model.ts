import type { Invariant } from './stores.js';

/** Everybody has the same model after the same sum: the sites that applied it, the coordinator's store, its rows and the ledger. */
export const oneModel: Invariant = {
  name: 'one model per round',
  violations: ({ rounds, models, ledger, runs, sites }) => [
    ...rounds.flatMap((row) => {
      const { run, sum, kind, round, state, modelOut } = row;
      if (kind !== 'update' || state !== 'closed') return [];
      const of = `sum ${sum} (round ${round}) of ${run}`;
      const stored = models.find((model) => model.run === run && model.round === round);
      if (stored === undefined) return [`${of} is closed, and no model of its round is stored`];
      const published = ledger.flatMap(({ statement: { name, predicate } }) =>
        name === 'aggregate' && predicate.run === run && predicate.sum === sum ? [predicate.modelOut] : [],
      );
      const names = new Set([modelOut, stored.model, ...published]);
      const held = sites.flatMap(({ site, applied }) =>
        applied.flatMap((entry) => (entry.run === run && entry.sum === sum && entry.model !== stored.object ? [site] : [])),
      );
      return [
        ...(published.length === 1 ? [] : [`${of} is closed, and the ledger has ${published.length} aggregates of it`]),
        ...(names.size === 1 ? [] : [`${of} gave several models: ${[...names].join(', ')}`]),
        ...held.map((site) => `${site} has another model after ${of} than the coordinator`),
      ];
    }),
    ...runs.flatMap(({ run, model }) => {
      const last = rounds.findLast((row) => row.run === run && row.kind === 'update' && row.state === 'closed');
      return last === undefined || last.modelOut === model
        ? []
        : [`${run} has the model ${model}, and its last update gave ${last.modelOut}`];
    }),
  ],
};
