import type { Invariant, StoredRound } from './stores.js';

/** What a site was told is accepted is there, and every sum that was frozen says of it that it was counted, or why not. */
export const nothingLost: Invariant = {
  name: 'nothing that was acknowledged is lost',
  violations: ({ sites, acts, rounds }) => {
    const taken = new Set(acts.map(({ digest }) => digest));
    return sites.flatMap(({ site, steps, statements }) =>
      steps
        .filter(({ state }) => state === 'uploaded')
        .flatMap(({ run, sum, attempt }) => {
          const upload = `the contribution of ${site} to sum ${sum}, attempt ${attempt}, of ${run}`;
          const own = statements.find(
            (entry) => entry.run === run && entry.name === 'contribution' && entry.subject === `${sum}/${attempt}`,
          );
          if (own === undefined) return [`${upload} is not in its own journal`];
          if (!taken.has(own.digest)) return [`${upload} was acknowledged, and the coordinator does not have it`];
          const round = rounds.find((row) => row.run === run && row.sum === sum);
          return round === undefined ? [`${upload} is to a sum that is not there`] : unnamed(round, site, attempt, upload);
        }),
    );
  },
};

function unnamed(round: StoredRound, site: string, attempt: number, upload: string): string[] {
  if (round.t === null || round.attempt !== attempt) return [];
  const [counted, excluded] = [round.counted.includes(site), round.excluded.some((entry) => entry.site === site)];
  if (counted && excluded) return [`${upload} is counted and excluded`];
  return counted || excluded ? [] : [`${upload} is neither counted nor excluded`];
}
