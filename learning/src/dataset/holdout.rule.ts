import { digest } from '@coferment/crypto';
import type { Plan } from '@coferment/consortium';

/**
 * Ids of the batches that are kept back for evaluation. Whole batches only: neighbouring rows of one batch are nearly alike, so a model that has seen
 * one row of a pair would be graded on its memory. A fraction picks the batches with the smallest hashes, at least one of two or more, always leaving one.
 */
export function holdoutBatches(plan: Plan, batchIds: readonly string[]): Set<string> {
  const { holdout } = plan.evaluation;
  if ('batches' in holdout) {
    const patterns = holdout.batches.map(globPattern);
    return new Set(batchIds.filter((id) => patterns.some((pattern) => pattern.test(id))));
  }
  if (batchIds.length < 2) return new Set();
  const count = Math.min(batchIds.length - 1, Math.max(1, Math.round(holdout.byBatch * batchIds.length)));
  const ranked = batchIds.map((id) => ({ id, rank: digest('holdout', plan.seed, id) })).toSorted((a, b) => (a.rank < b.rank ? -1 : 1));
  return new Set(ranked.slice(0, count).map(({ id }) => id));
}

/** `*` stands for any characters, `?` for one; everything else for itself. */
function globPattern(glob: string): RegExp {
  const source = glob.replaceAll(/[.*+?^${}()|[\]\\]/g, (character) =>
    character === '*' ? '.*' : character === '?' ? '.' : `\\${character}`,
  );
  return new RegExp(`^${source}$`, 'su');
}
