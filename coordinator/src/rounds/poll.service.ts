import type { Instruction, PollResponse, RunView as WireRunView } from '@coferment/proto';
import { Injectable } from '@nestjs/common';
import { EnrolmentRepository } from '../enrolment/enrolment.repository.js';
import { requireEnrolled } from '../enrolment/membership.rule.js';
import type { SiteMember, SiteRow } from '../enrolment/site.entity.js';
import { CoordinatorError } from '../errors/index.js';
import { ConsortiumIdentity } from '../identity/consortium.identity.js';
import { Database } from '../persistence/database.js';
import { Replicas } from '../replicas/replicas.service.js';
import { SharedReading } from '../persistence/shared.reading.js';
import { waitingOf } from '../runs/run.waiting.js';
import { startText } from '../runs/start.time.js';
import { type RunView, closedRounds, concerns, isOver, openRounds } from '../runs/run.view.js';
import { RunViews } from '../runs/run.views.js';
import { ChangeNotifier } from '../telemetry/change.notifier.js';
import { Clock } from '../telemetry/clock.js';
import { failuresText, setAsideSites } from './standing.rule.js';
import { withinOneAnswer } from './answer-size.rule.js';
import { nameOfInstructions } from './kept.instructions.js';
import { START, type SitePosition, owedInstructions } from './owed.js';
import { Presence } from './presence.js';

/** Ended runs of which a site is told again, in case it was away at their end. */
const ENDED_RUNS_TOLD = 8;

export interface PollCall {
  waitMs: number;
  positions: ReadonlyMap<string, SitePosition>;
  /** Name of the last answer. */
  known: string;
  /** Sequence number of the newest authorities act that the site has taken in. */
  authorities: number;
}

/** Answers polls: what is owed, at once when it differs from what the site knows, and when it changes otherwise. */
@Injectable()
export class PollService {
  /** One change wakes all polls that are held. */
  readonly #stored = new SharedReading(() =>
    this.views.reading(async (manager) => {
      const members = await this.enrolment.sites(manager);
      return { views: await this.views.allIn(manager), members: new Map(members.map((row) => [row.site, row])) };
    }),
  );

  constructor(
    private readonly views: RunViews,
    private readonly presence: Presence,
    private readonly notifier: ChangeNotifier,
    private readonly database: Database,
    private readonly enrolment: EnrolmentRepository,
    private readonly identity: ConsortiumIdentity,
    private readonly clock: Clock,
    private readonly replicas: Replicas,
  ) {}

  /** @throws CoordinatorError 'site-revoked' or 'site-left' when that happens while the call is held */
  async poll(member: SiteMember, call: PollCall, signal: AbortSignal): Promise<PollResponse> {
    const endMs = this.clock.steadyMs() + call.waitMs;
    const { sequence } = this.identity.authorities;
    // A site cannot be ahead; what it says beyond is not believed.
    const authorities = Math.min(call.authorities, sequence);
    this.presence.arrived(member, this.clock.steadyMs(), call.waitMs);
    try {
      await this.#note(member, { waitMs: call.waitMs, authorities });
      for (let isFirst = true; ; isFirst = false) {
        const restMs = endMs - this.clock.steadyMs();
        // Asked for before reading: a change in between then wakes at once.
        const change = this.notifier.next(Math.max(restMs, 0), signal);
        const { views, members } = await this.#stored.fresh();
        // The first time the gate has just looked.
        if (!isFirst) requireStill(member, members.get(member.site));
        const told = toldRuns(views, member);
        const ofRuns = told.map((view) => owedInstructions(view, member.site, call.positions.get(view.run.run) ?? START));
        const instructions = withinOneAnswer(ofRuns);
        const owed = nameOfInstructions(instructions);
        const { sequence: now } = this.identity.authorities;
        // Other authorities than when the call came: told at once, and only then, or a site that cannot renew would ask without a pause.
        if (owed !== call.known || now !== sequence || restMs <= 0) return answerOf(member, { told, instructions, owed, authorities: now });
        await change;
        // Nobody listens any more: the site has gone, or the coordinator is stopping and its database with it.
        if (signal.aborted) return answerOf(member, { told, instructions, owed, authorities: now });
      }
    } finally {
      this.presence.answered(member, this.clock.steadyMs());
    }
  }

  async #note(member: SiteMember, poll: Pick<SiteRow, 'waitMs' | 'authorities'>): Promise<void> {
    const noted = { ...poll, lastPollMs: this.clock.nowMs(), polledAt: this.replicas.id };
    await this.database.transaction((manager) => this.enrolment.notePoll(manager, member, noted));
  }
}

/** By name and key: who has joined under the name of a site that is gone takes no part in its runs. */
function toldRuns(all: readonly RunView[], member: SiteMember): RunView[] {
  const views = all.filter((view) => concerns(view, member));
  const ended = views.filter(isOver).slice(-ENDED_RUNS_TOLD);
  return views.filter((view) => !isOver(view) || ended.includes(view));
}

interface Owed {
  told: readonly RunView[];
  instructions: Instruction[];
  owed: string;
  authorities: number;
}

function answerOf({ site }: SiteMember, { told, instructions, owed, authorities }: Owed): PollResponse {
  const runs = told.map((view) => wireView(view, site));
  return { coordinatorTimeMs: Date.now(), instructions, owed, runs, authorities };
}

/** Still a member, and still the one that called: somebody else may have joined under the name while the call was held. */
function requireStill({ site, identityKey }: SiteMember, row: SiteRow | undefined): void {
  if (row?.identityKey !== identityKey)
    throw new CoordinatorError('site-revoked', `"${site}" has another identity key now. Ask the operator.`);
  requireEnrolled(row);
}

function wireView(view: RunView, site: string): WireRunView {
  const withoutThisSite = !view.run.sites.includes(site);
  const current = openRounds(view)[0];
  const { waitingFor, deadlineMs } = withoutThisSite ? { waitingFor: [], deadlineMs: 0 } : waitingOf(view);
  return {
    run: view.run.run,
    plan: view.run.plan,
    state: view.run.state,
    round: current?.round ?? closedRounds(view).at(-1)?.round ?? 0,
    rounds: view.plan.rounds,
    roundState: current?.state ?? '',
    waitingFor,
    deadlineMs,
    withoutThisSite,
    cause: withoutThisSite ? '' : causeFor(view, site),
  };
}

function causeFor(view: RunView, site: string): string {
  const known = [view.run.cause, startText(view)].filter((text) => text !== '').join(' ');
  if (known !== '' || isOver(view)) return known;
  const failures = setAsideSites(view).get(site);
  if (failures === undefined) return '';
  return `this site is set aside (${failuresText(failures)}): no sum waits for it, and it is back with the first that it is in time for`;
}
