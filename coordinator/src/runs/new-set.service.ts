import { Injectable } from '@nestjs/common';
import { EnrolmentRepository } from '../enrolment/enrolment.repository.js';
import { Database } from '../persistence/database.js';
import { sitesLeft } from '../rounds/round.participants.js';
import { OPERATOR } from './act.entity.js';
import { neededApprovers, newestProposal, noNewSet, proposalsOf, requirePossibleSet, requireStopped } from './new-set.rule.js';
import { RunChanges } from './run.changes.js';
import { RunQueue } from './run.queue.js';
import { type RunView, membersOf, present } from './run.view.js';
import { RunViews } from './run.views.js';
import { slots } from './slot.names.js';

/** Another set for a sum that cannot complete, once everybody concerned has approved it (secure-aggregation.md §3). */
@Injectable()
export class NewSetService {
  constructor(
    private readonly views: RunViews,
    private readonly changes: RunChanges,
    private readonly queue: RunQueue,
    private readonly enrolment: EnrolmentRepository,
    private readonly database: Database,
  ) {}

  /**
   * The newest proposal for a sum is the one that counts; made again, it is answered like the first time. Nothing is opened by it.
   * @returns its digest, and everybody who has to approve it
   * @throws CoordinatorError 'run-over', 'no-new-set', 'unknown-run'
   */
  propose(run: string, sum: number, sites: readonly string[]): Promise<{ proposal: string; approvers: string[] }> {
    return this.queue.inTurn(run, async () => {
      const view = await this.views.load(run);
      const stopped = requireStopped(view, sum);
      const { round, before, t } = stopped;
      const after = requirePossibleSet(view, stopped, sites);
      const approvers = neededApprovers(view, round, after);
      const latest = newestProposal(view, sum);
      if (latest !== undefined && latest.predicate.after.join() === after.join() && latest.predicate.approvers.join() === approvers.join())
        return { proposal: latest.digest, approvers };
      await this.#requireReachable(view, approvers);
      const { kind, modelIn } = round;
      const content = { consortium: view.consortium, run, e: present(view.epoch.e, 'E'), kind, sum, modelIn, t, before, after, approvers };
      const proposal = await this.changes.apply(run, view.run.version, async (change) => {
        const slot = slots.ofProposal(sum, proposalsOf(view, sum) + 1);
        requireUnmade(view, content);
        const digest = await change.sign('new-set-proposed', slot, content);
        await change.note('note', {
          sum,
          text: `Another set is proposed for sum ${sum}: ${after.join(', ')} instead of ${before.join(', ')}. It needs the approval of ${approvers.join(', ')}.`,
        });
        return digest;
      });
      return { proposal, approvers };
    });
  }

  /** Whoever has ended its membership cannot approve any more, and whoever comes under its name is somebody else. */
  async #requireReachable(view: RunView, approvers: readonly string[]): Promise<void> {
    const rows = await this.database.transaction((manager) => this.enrolment.sites(manager));
    const gone = membersOf(view, approvers).filter(
      ({ site, identityKey }) => !rows.some((row) => row.site === site && row.state === 'enrolled' && row.identityKey === identityKey),
    );
    const { run } = view.run;
    if (gone.length > 0)
      throw noNewSet(
        `${gone.map(({ site }) => site).join(', ')} would have to approve it and is not a member any more, so nobody can. Only a new run remains: coferment abort ${run}, then coferment launch`,
      );
    const left = sitesLeft(view).filter((site) => approvers.includes(site));
    if (left.length > 0)
      throw noNewSet(
        `${left.join(', ')} would have to approve it and has left key epoch ${view.epoch.epoch}. Start a new key epoch first: coferment epochs renew ${run}`,
      );
  }
}

/** A statement is in the ledger once: a proposal that a later one has replaced does not come back. */
function requireUnmade(view: RunView, { sum, after, approvers }: { sum: number; after: string[]; approvers: string[] }): void {
  for (let number = proposalsOf(view, sum); number > 0; number--) {
    const made = view.acts.find('new-set-proposed', OPERATOR, slots.ofProposal(sum, number))?.predicate;
    if (made?.after.join() !== after.join() || made.approvers.join() !== approvers.join()) continue;
    throw noNewSet(
      `${after.join(', ')} was proposed for sum ${sum} before, and a later proposal has replaced it. Start a new key epoch to propose it again: coferment epochs renew ${view.run.run}`,
    );
  }
}
