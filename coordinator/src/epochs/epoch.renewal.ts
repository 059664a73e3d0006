import { MAX_TEXT, MOST_EPOCHS, type Roster, renewRoster, rosterFingerprint } from '@coferment/consortium';
import { Injectable } from '@nestjs/common';
import { CoordinatorError } from '../errors/index.js';
import { RunChanges } from '../runs/run.changes.js';
import { RunQueue } from '../runs/run.queue.js';
import { RunRepository } from '../runs/run.repository.js';
import { type RunView, isOver, nextSumNumber, openRounds } from '../runs/run.view.js';
import { RunViews } from '../runs/run.views.js';
import { stickySet, unfinishedSum } from '../runs/unfinished.sum.js';
import type { EpochRow } from './epoch.entity.js';

export interface RenewalRequest {
  /** The epoch to start. */
  epoch: number;
  leaveOut?: string;
  replaceHolder?: string;
}

/** A new key epoch of the same run: new sealing keys and a new dealing, and then what was unfinished is completed under a new number. */
@Injectable()
export class EpochRenewal {
  constructor(
    private readonly changes: RunChanges,
    private readonly repository: RunRepository,
    private readonly views: RunViews,
    private readonly queue: RunQueue,
  ) {}

  /**
   * One transaction. Asked for the same again, it answers the same and changes nothing.
   * @throws CoordinatorError 'run-over', 'no-new-epoch', 'set-fixed', ConsortiumError 'impossible-quorum' with the numbers, 'invalid-roster'
   */
  renew(run: string, request: RenewalRequest): Promise<EpochRow> {
    return this.queue.inTurn(run, async () => {
      const view = await this.views.load(run);
      if (isDone(view, request)) return view.epoch;
      requireRenewable(view, request);
      const leaveOut = listed(request.leaveOut);
      const replaced = listed(request.replaceHolder);
      requireSetKept(view, leaveOut);
      const roster = nextRoster(view, leaveOut, replaced);
      const reason = reasonOf(view, request);
      const row: EpochRow = {
        run,
        epoch: request.epoch,
        roster,
        fingerprint: rosterFingerprint(roster),
        rosterDigest: null,
        e0: null,
        e: null,
        renewal: { reason, leftOut: leaveOut, replaced },
      };
      await this.changes.apply(run, view.run.version, async (change) => {
        await this.repository.saveEpoch(change.manager, row);
        for (const round of openRounds(view)) {
          const cause = round.cause === '' ? `Key epoch ${row.epoch} began before it was closed.` : round.cause;
          await change.moveRound({ ...round, cause, closedMs: change.nowMs }, 'continue-in-epoch');
        }
        Object.assign(change.run, { epoch: row.epoch, cause: '', whatToDo: '' });
        await change.move('start-epoch', `Key epoch ${row.epoch} starts. ${reason}`);
      });
      return row;
    });
  }
}

function listed(site: string | undefined): string[] {
  return site === undefined ? [] : [site];
}

function isDone(view: RunView, { epoch, leaveOut, replaceHolder }: RenewalRequest): boolean {
  const { renewal } = view.epoch;
  if (epoch !== view.epoch.epoch || renewal === null) return false;
  return renewal.leftOut.join() === listed(leaveOut).join() && renewal.replaced.join() === listed(replaceHolder).join();
}

function requireRenewable(view: RunView, { epoch, leaveOut, replaceHolder }: RenewalRequest): void {
  const { run, state } = view.run;
  if (isOver(view)) throw new CoordinatorError('run-over', `Run ${run} is ${state}; no key epoch starts in it. Launch a new run.`);
  const refuse = (reason: string) =>
    new CoordinatorError('no-new-epoch', `No new key epoch of run ${run}: ${reason}. Nothing was changed.`);
  if (state === 'paused') throw refuse(`it is paused. Resume it first: coferment resume ${run}`);
  if (state !== 'stuck' && state !== 'key-ceremony' && state !== 'running') throw refuse(`it is "${state}"`);
  if (epoch !== view.epoch.epoch + 1) throw refuse(`epoch ${epoch} was asked for, and it is in epoch ${view.epoch.epoch}`);
  if (epoch > MOST_EPOCHS) throw refuse(`a run has at most ${MOST_EPOCHS}; launch a new run`);
  if (leaveOut !== undefined && replaceHolder !== undefined)
    throw refuse('one epoch leaves a site out or replaces a holder, not both; start one after the other');
}

/** A frozen set is the only one for its model, for life: the sum over it without one site would, subtracted, show that site's update. */
function requireSetKept(view: RunView, leaveOut: readonly string[]): void {
  const unfinished = unfinishedSum(view);
  const set = unfinished === undefined ? null : stickySet(unfinished);
  const gone = leaveOut.find((site) => set?.includes(site));
  if (unfinished === undefined || set === null || gone === undefined) return;
  const holds = view.epoch.roster.keyHolders.some(({ site }) => site === gone);
  const replace = holds
    ? ` If only its decryption shares are bad, let it go on without them: coferment epochs renew ${view.run.run} --replace-holder ${gone}.`
    : '';
  throw new CoordinatorError(
    'set-fixed',
    `"${gone}" cannot be left out: sum ${unfinished.sum} (${unfinished.kind}) was frozen over ${set.join(', ')}, and from this model no other set is ever summed, because the difference of two sums would show the update of "${gone}".${replace} Otherwise wait until it is back, or end this run and launch a new one: coferment abort ${view.run.run}. With the approval of everybody concerned, once the sum is stuck, another set can be summed over: coferment rounds open-new-set ${view.run.run} --sites SITES`,
  );
}

function nextRoster(view: RunView, leaveOut: readonly string[], replaceHolders: readonly string[]): Roster {
  const previous = view.epoch.roster;
  const holders = previous.keyHolders.map(({ site }) => site);
  const formerHolders = view.earlierEpochs
    .flatMap(({ roster }) => roster.keyHolders.map(({ site }) => site))
    .filter((site) => !holders.includes(site));
  return renewRoster({ plan: view.plan, previous, leaveOut, replaceHolders, formerHolders, firstSum: nextSumNumber(view) });
}

function reasonOf(view: RunView, { leaveOut, replaceHolder }: RenewalRequest): string {
  const decision =
    leaveOut !== undefined
      ? `The operator leaves out "${leaveOut}".`
      : replaceHolder !== undefined
        ? `The operator replaces the key holder "${replaceHolder}".`
        : 'The members stay the same.';
  return `${decision} ${view.run.cause}`.trim().slice(0, MAX_TEXT);
}
