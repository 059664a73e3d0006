import type { Plan } from '../plan/index.js';

/**
 * Whether the run ends before its last round: the holdout error has not fallen below its best for `stopping.patience` rounds.
 * @param errors the federated holdout metric of the incoming model of each round so far, oldest first.
 */
export function shouldStop(plan: Plan, errors: readonly number[]): boolean {
  const { patience } = plan.stopping;
  if (patience === null || errors.length === 0) return false;
  const best = errors.reduce((bestIndex, error, index) => (error < errors[bestIndex]! ? index : bestIndex), 0);
  return errors.length - 1 - best >= patience;
}
