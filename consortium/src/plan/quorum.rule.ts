import { ConsortiumBudgetError, quorumNumbers } from '../budget/index.js';
import { ConsortiumError } from '../errors/index.js';
import type { QuorumNumbers } from '../roster/index.js';
import type { Plan } from './plan.schema.js';

/** With two contributors each reads the other's update by subtracting its own from the sum. */
const FEWEST_CONTRIBUTORS = 3;

/**
 * The numbers of secure-aggregation.md §1 for a plan among `sites` sites: the plan's own where it names them, else the defaults.
 * @throws ConsortiumError 'impossible-quorum' with the numbers when no honest majority or no sum could ever come about.
 */
export function resolveQuorum(plan: Plan, sites: number): QuorumNumbers {
  const { keyHolders, threshold, collusionBound } = plan.privacy;
  const { minContributors, waitFor } = plan.quorum;
  const refuse = (reason: string, cause?: unknown): never => {
    const asked = `keyHolders ${keyHolders ?? 'auto'}, threshold ${threshold ?? 'auto'}, collusionBound ${collusionBound ?? 'auto'}, minContributors ${minContributors ?? 'auto'}`;
    throw new ConsortiumError('impossible-quorum', `the plan "${plan.plan}" (${asked}) is impossible among ${sites} sites: ${reason}`, {
      cause,
    });
  };
  const numbers = (() => {
    try {
      return quorumNumbers({
        n: sites,
        ...(keyHolders === null ? {} : { m: keyHolders }),
        ...(threshold === null ? {} : { tau: threshold }),
        ...(collusionBound === null ? {} : { c: collusionBound }),
        ...(minContributors === null ? {} : { minContributors }),
      });
    } catch (error) {
      if (error instanceof ConsortiumBudgetError) return refuse(error.message, error);
      throw error;
    }
  })();
  const contributors = minContributors ?? Math.max(numbers.minContributors, FEWEST_CONTRIBUTORS);
  if (contributors < FEWEST_CONTRIBUTORS) {
    refuse(`quorum.minContributors ${contributors} lets two sites read each other's updates; use at least ${FEWEST_CONTRIBUTORS}.`);
  }
  if (waitFor !== 'all' && (waitFor < contributors || waitFor > sites)) {
    refuse(`quorum.waitFor ${waitFor} must be "all" or from minContributors = ${contributors} to ${sites}.`);
  }
  return {
    n: sites,
    m: numbers.keyHolders,
    tau: numbers.threshold,
    c: numbers.collusion,
    rho: numbers.attestQuorum,
    minContributors: contributors,
  };
}
