import { Injectable } from '@nestjs/common';
import { CoordinatorError } from '../errors/index.js';
import { FAILURES_UNTIL_SET_ASIDE, setAsideSites, wasReadmitted } from '../rounds/standing.rule.js';
import { RunChanges } from './run.changes.js';
import { RunQueue } from './run.queue.js';
import { isOver } from './run.view.js';
import { RunViews } from './run.views.js';
import { slots } from './slot.names.js';

/** Sites that were set aside are waited for again. */
@Injectable()
export class ReadmissionService {
  constructor(
    private readonly views: RunViews,
    private readonly changes: RunChanges,
    private readonly queue: RunQueue,
  ) {}

  /**
   * From the sum on that is open now. Asked again before the site fails anew, it changes nothing.
   * @throws CoordinatorError 'unknown-site', 'run-over', 'not-set-aside'
   */
  readmit(run: string, site: string): Promise<void> {
    return this.queue.inTurn(run, async () => {
      const view = await this.views.load(run);
      if (!view.run.sites.includes(site)) throw new CoordinatorError('unknown-site', `"${site}" is not a site of run ${run}.`);
      if (isOver(view)) throw new CoordinatorError('run-over', `Run ${run} is ${view.run.state}; it waits for nobody any more.`);
      const last = setAsideSites(view).get(site)?.at(-1);
      if (last === undefined) {
        if (wasReadmitted(view, site)) return;
        throw new CoordinatorError(
          'not-set-aside',
          `"${site}" is not set aside in run ${run}: that takes ${FAILURES_UNTIL_SET_ASIDE} sums in a row that waited for it in vain. See who is: coferment run ${run}`,
        );
      }
      await this.changes.apply(run, view.run.version, async (change) => {
        await change.sign('site-readmitted', slots.ofReadmission(site, last.sum), {
          consortium: view.consortium,
          run,
          site,
          sum: last.sum,
        });
        await change.note('note', { site, text: `${site} is waited for again: the operator has readmitted it.` });
      });
    });
  }
}
