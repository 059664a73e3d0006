import type { Predicate, Statement } from '@coferment/consortium';

/** Plans, rosters and opened sums: what models are recomputed from. */
export function publishedObjects(statements: readonly Statement[]): string[] {
  return distinct(
    statements.flatMap(({ name, predicate }) => {
      if (name === 'plan-published') return [predicate.plan];
      if (name === 'key-epoch') return [predicate.roster];
      return name === 'aggregate' ? [predicate.sumObject] : [];
    }),
  );
}

/**
 * What published sums were opened from: the uploads of their counted sites and the decryption shares that their aggregates name. No upload that was left out
 * and no dealing is among them: nothing published depends on those.
 */
export function openedObjects(statements: readonly Statement[]): string[] {
  const frozen = new Map<string, Predicate<'round-frozen'>>();
  const contributions = new Map<string, Predicate<'contribution'>>();
  const shares = new Map<string, Predicate<'share'>>();
  for (const { name, predicate, digest } of statements) {
    if (name === 'round-frozen') frozen.set(`${predicate.run} ${predicate.sum} ${predicate.t}`, predicate);
    if (name === 'contribution') contributions.set(`${predicate.k} ${predicate.site} ${predicate.merkleRoot}`, predicate);
    if (name === 'share') shares.set(digest, predicate);
  }
  return distinct(
    statements.flatMap(({ name, predicate }) => {
      if (name !== 'aggregate') return [];
      const { run, sum, k, t } = predicate;
      const counted = frozen.get(`${run} ${sum} ${t}`)?.counted ?? [];
      const uploads = counted.map(({ site, merkleRoot }) => contributions.get(`${k} ${site} ${merkleRoot}`)?.object);
      return [...uploads, ...predicate.shares.map(({ share }) => shares.get(share)?.object)].filter((object) => object !== undefined);
    }),
  );
}

function distinct(digests: readonly string[]): string[] {
  return [...new Set(digests)];
}
