import { CoordinatorError } from '../errors/index.js';
import type { RunView } from './run.view.js';

/**
 * The sites whose statistics this consortium has summed, sorted; undefined before the first time. A site signs such a sum over one set only, for life: the
 * difference of two would be the statistics of the sites in one of them. It counts from the moment at which sites were asked to sign.
 */
export function statisticsSet(views: readonly RunView[]): string[] | undefined {
  const frozen = views.flatMap(({ rounds }) => rounds).filter(({ kind, counted }) => kind === 'statistics' && counted.length > 0);
  const inOrder = frozen.toSorted((a, b) => a.openedMs - b.openedMs);
  // With everybody's approval another set takes the place of the first one.
  return (inOrder.findLast(({ newSet }) => newSet !== null) ?? inOrder[0])?.counted.toSorted();
}

/** @throws CoordinatorError 'set-fixed' for a run that would get as far as its statistics and no further */
export function requireSameStatistics(counted: readonly string[] | undefined, sites: readonly string[]): void {
  if (counted === undefined || counted.join() === sites.toSorted().join()) return;
  const only = (some: readonly string[], others: readonly string[]) => some.filter((site) => !others.includes(site)).join(', ') || 'none';
  throw new CoordinatorError(
    'set-fixed',
    `The statistics of this consortium were summed over ${counted.join(', ')}, and sites sign no second such sum over others. ` +
      `This run would be without ${only(counted, sites)} of them and with ${only(sites, counted)} beside them, and stop there. ` +
      `Launch it among the same sites (--sites ${counted.join(',')}), or found another consortium for another circle (docs/runs.md).`,
  );
}
