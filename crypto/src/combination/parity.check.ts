import { subsetsOf } from '../committee/lagrange.rational.js';
import { resolveParameters } from '../ring/aggregation.parameters.js';
import type { AggregationParameters } from '../ring/parameter.set.js';

export type ParityVerdict = { consistent: true } | { consistent: false; suspects?: number[] };

export interface ParityEvidence {
  parameters: AggregationParameters;
  /** Positions of all holders whose shares were received. */
  holders: readonly number[];
  /** The failed relations of all blocks, as openBlock found them over all these holders; repetitions do not matter. */
  failedRelations: Iterable<readonly number[]>;
}

/** Every relation, not a rational basis: a combination of basis relations divided by an integer can be large modulo q while the basis is small. */
function isConsistent(holders: readonly number[], threshold: number, failed: ReadonlySet<string>): boolean {
  for (const chosen of subsetsOf(holders.length, threshold + 1)) {
    if (failed.has(nameOf(chosen.map((index) => holders[index]!)))) return false;
  }
  return true;
}

const nameOf = (holders: readonly number[]): string => holders.join(',');

/**
 * R7's verdict. With f wrong shares some relation fails once τ+f have arrived; once τ+2f have, the largest
 * consistent set is unique and the others are the suspects. With fewer shares f liars could frame an honest holder, so there are none.
 * Suspects are named to people only when the sum also opens without their shares: liars that agree with each other are a consistent set too.
 */
export function judgeParity({ parameters, holders: received, failedRelations }: ParityEvidence): ParityVerdict {
  const { threshold } = resolveParameters(parameters).committee;
  const holders = received.toSorted((a, b) => a - b);
  const failed = new Set(Array.from(failedRelations, (relation) => nameOf(relation.toSorted((a, b) => a - b))));
  if (failed.size === 0) return { consistent: true };
  for (let wrong = 1; holders.length >= threshold + 2 * wrong; wrong++) {
    const candidates: number[][] = [];
    for (const kept of subsetsOf(holders.length, holders.length - wrong)) {
      const honest = kept.map((index) => holders[index]!);
      if (isConsistent(honest, threshold, failed)) candidates.push(holders.filter((holder) => !honest.includes(holder)));
    }
    if (candidates.length === 1) return { consistent: false, suspects: candidates[0]! };
    if (candidates.length > 1) return { consistent: false };
  }
  return { consistent: false };
}
