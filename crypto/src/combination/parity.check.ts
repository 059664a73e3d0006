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
 *
 * A lie of a simple fraction of q passes the relations in which its weight is a multiple of the denominator. Where all that fail have an honest holder in
 * them too, the same values would come of a lie of that holder, and there are no suspects. Opening without the one and without the other must not decide: the
 * liar may have uploaded a vector that is off such that the sum opens with its share only. Two liars with such fractions can even put an honest holder alone
 * into all relations that fail, at τ+3; so suspects are cleared where other holders, no more than half of the shares beyond τ, rounded up, may have been it.
 * Suspects are liars, then, whenever there are no more liars than that: these are an explanation themselves.
 */
export function judgeParity({ parameters, holders: received, failedRelations }: ParityEvidence): ParityVerdict {
  const { threshold } = resolveParameters(parameters).committee;
  const holders = received.toSorted((a, b) => a - b);
  const failed = new Set(Array.from(failedRelations, (relation) => nameOf(relation.toSorted((a, b) => a - b))));
  if (failed.size === 0) return { consistent: true };
  for (let wrong = 1; holders.length >= threshold + 2 * wrong; wrong++) {
    const [suspects, ...others] = explanations(holders, wrong, threshold, failed);
    if (suspects === undefined) continue;
    if (others.length > 0) return { consistent: false };
    const most = Math.floor((holders.length - threshold + 1) / 2);
    const isCleared =
      most > wrong && explanations(holders, most, threshold, failed).some((liars) => suspects.some((suspect) => !liars.includes(suspect)));
    return isCleared ? { consistent: false } : { consistent: false, suspects };
  }
  return { consistent: false };
}

/** The sets of so many holders without whose shares every relation holds. */
function explanations(holders: readonly number[], wrong: number, threshold: number, failed: ReadonlySet<string>): number[][] {
  return Array.from(subsetsOf(holders.length, wrong), (chosen) => chosen.map((index) => holders[index]!)).filter((liars) =>
    isConsistent(
      holders.filter((holder) => !liars.includes(holder)),
      threshold,
      failed,
    ),
  );
}
