import type { Recorded } from '../verify/index.js';
import type { ErrorRecord } from './account.types.js';
import type { SumBook } from './sum.book.js';

/**
 * The evaluations of a run in the order of the log. Which round a model comes from follows from the digests in the sums, not from a number that the operator
 * wrote beside them.
 * @param books in the order of their sums
 */
export function errorsOf(evaluations: readonly Recorded<'evaluation'>[], books: readonly SumBook[]): ErrorRecord[] {
  const rounds = new Map<string, number>();
  let done = 0;
  for (const book of books) {
    if (book.kind !== 'update' || book.models === undefined) continue;
    const [first, next] = book.models;
    if (done === 0) rounds.set(first, 0);
    rounds.set(next, ++done);
  }
  const before = new Map<string, number>();
  return evaluations.map(({ index, predicate: { sum, model, metric, value, holdoutCount } }) => {
    const earlier = before.get(metric);
    before.set(metric, value);
    const change = earlier === undefined ? undefined : value - earlier;
    return { entry: index, sum, afterRound: rounds.get(model), metric, value, holdoutCount, change };
  });
}
