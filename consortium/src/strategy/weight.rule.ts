import canonicalize from 'canonicalize';
import { ConsortiumError } from '../errors/index.js';
import type { Plan } from '../plan/index.js';

/** A site's weight: 1 where weights are equal, else its training rows, clamped to the cap. @throws ConsortiumError 'out-of-range' without any rows. */
export function contributionWeight(plan: Plan, trainingRows: number, weightCap: number): number {
  if (!Number.isSafeInteger(trainingRows) || trainingRows < 1) {
    throw new ConsortiumError(
      'out-of-range',
      `a site with ${trainingRows} training rows cannot contribute; check which batches and samples the plan selects`,
    );
  }
  switch (plan.weighting.by) {
    case 'equal':
      return 1;
    case 'samples':
      return Math.min(trainingRows, weightCap);
  }
}

/**
 * The weight rule that enters I, as canonical JSON. The cap is part of it: a site given another cap would show its update in the sum.
 * @param weightCap null for sums that come before the cap is known (confirm, statistics).
 */
export function weightRule(plan: Plan, weightCap: number | null): string {
  return canonicalize({ by: plan.weighting.by, cap: weightCap })!;
}
