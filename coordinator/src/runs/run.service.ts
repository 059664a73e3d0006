import { parsePlan, rosterFingerprint, runId } from '@coferment/consortium';
import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { EnrolmentRepository } from '../enrolment/enrolment.repository.js';
import { CoordinatorError } from '../errors/index.js';
import { ObjectStore } from '../objects/object.store.js';
import { Database } from '../persistence/database.js';
import { PlanRepository } from '../plans/plan.repository.js';
import { Clock } from '../telemetry/clock.js';
import { type Member, firstRoster } from './first.roster.js';
import { RunChanges } from './run.changes.js';
import { closeRun } from './run.closing.js';
import type { RunRow } from './run.entity.js';
import { RunQueue } from './run.queue.js';
import { RunRepository } from './run.repository.js';
import { requireStart } from './start.time.js';
import { type ReleasedModel, isReleased, releasable } from './run.release.js';
import { isOver } from './run.view.js';
import { RunViews } from './run.views.js';
import { slots } from './slot.names.js';
import { requireSameStatistics, statisticsSet } from './statistics.set.js';

export interface LaunchTimes {
  /** 0: all are waited for. */
  approveWithinMs: number;
  /** 0: it starts with the last approval. */
  startAtMs: number;
}

/** What the operator may do with runs. */
@Injectable()
export class RunService {
  constructor(
    private readonly database: Database,
    private readonly repository: RunRepository,
    private readonly plans: PlanRepository,
    private readonly enrolment: EnrolmentRepository,
    private readonly store: ObjectStore,
    private readonly changes: RunChanges,
    private readonly views: RunViews,
    private readonly queue: RunQueue,
    private readonly clock: Clock,
  ) {}

  /**
   * Opens a run of a published plan among these sites, or among all that are enrolled. Nothing starts before every one of them has approved, or the time
   * for that is over; nor before its time to start.
   * @throws CoordinatorError 'unknown-plan', 'unknown-site', 'set-fixed', 'malformed', ConsortiumError 'impossible-quorum'
   */
  async launch(plan: string, sites: readonly string[], times: LaunchTimes): Promise<{ run: string; ordinal: number }> {
    requireStart(times.startAtMs, this.clock.nowMs());
    const { planRow, members } = await this.database.transaction(async (manager) => ({
      planRow: await this.plans.find(manager, plan),
      members: await this.#members(manager, sites),
    }));
    if (planRow === null)
      throw new CoordinatorError('unknown-plan', `No plan ${plan} is published. Publish it first: coferment plan publish FILE`);
    const roster = firstRoster(parsePlan(JSON.parse(new TextDecoder().decode(await this.store.read(plan)))), members);
    const ids = roster.sites.map((member) => member.site);
    requireSameStatistics(statisticsSet(await this.views.all()), ids);
    return this.changes.open(
      (runs, nowMs) => newRun({ plan, planName: planRow.name, ordinal: runs + 1, sites: ids }, nowMs, times),
      plan,
      async (change) => {
        const { run, ordinal } = change.run;
        const epoch = {
          run,
          epoch: 1,
          roster,
          fingerprint: rosterFingerprint(roster),
          rosterDigest: null,
          e0: null,
          e: null,
          renewal: null,
        };
        await this.repository.saveEpoch(change.manager, epoch);
        await change.move('submit', `Run ${ordinal} of plan "${planRow.name}" waits for the approval of ${ids.length} sites.`);
        return { run, ordinal };
      },
    );
  }

  /** @throws CoordinatorError 'run-over' */
  abort(run: string, reason: string): Promise<void> {
    return this.queue.inTurn(run, async () => {
      const view = await this.views.load(run);
      if (isOver(view)) throw new CoordinatorError('run-over', `Run ${run} is ${view.run.state} already.`);
      const cause = reason === '' ? 'The operator aborted the run.' : `The operator aborted the run: ${reason}`;
      await this.changes.apply(run, view.run.version, (change) =>
        closeRun(change, view, { event: 'abort', cause, whatToDo: 'Launch a new run when ready.' }),
      );
    });
  }

  /** From now on every site may use the model that the run ended with. A second call answers as the first. @throws CoordinatorError 'not-completed' */
  release(run: string): Promise<ReleasedModel> {
    return this.queue.inTurn(run, async () => {
      const view = await this.views.load(run);
      const model = releasable(view);
      if (isReleased(view)) return model;
      await this.changes.apply(run, view.run.version, async (change) => {
        await change.sign('model-released', slots.ofRun(), { consortium: view.consortium, run, ...model });
        change.run.whatToDo = `Take the model: coferment models download ${run} --out DIR. Each site: coferment-agent models download ${run} --out DIR`;
        await change.note('note', { text: `The model ${model.model} is released.` });
      });
      return model;
    });
  }

  async #members(manager: EntityManager, sites: readonly string[]): Promise<Member[]> {
    const rows = await this.enrolment.sites(manager);
    const enrolled = rows.flatMap(({ site, role, state, identityKey }) =>
      role === 'site' && state === 'enrolled' && identityKey !== null ? [{ site, identityKey }] : [],
    );
    if (sites.length === 0) return enrolled;
    const missing = sites.find((site) => !enrolled.some((member) => member.site === site));
    if (missing !== undefined)
      throw new CoordinatorError('unknown-site', `The site "${missing}" is not enrolled. See who is: coferment status`);
    return enrolled.filter((member) => sites.includes(member.site));
  }
}

function newRun(
  named: Pick<RunRow, 'plan' | 'planName' | 'ordinal' | 'sites'>,
  openedMs: number,
  { approveWithinMs, startAtMs }: LaunchTimes,
): RunRow {
  return {
    ...named,
    run: runId(named.plan, named.ordinal),
    state: 'draft',
    epoch: 1,
    model: 'none',
    cause: '',
    whatToDo: '',
    approveByMs: approveWithinMs === 0 ? null : openedMs + approveWithinMs,
    startAtMs: startAtMs === 0 ? null : startAtMs,
    notApproved: [],
    openedMs,
    closedMs: null,
    version: 1,
  };
}
