import { sha256Hex } from '@coferment/crypto';
import { PollResponse, type RunView as WireRunView } from '@coferment/proto';
import { Injectable } from '@nestjs/common';
import { EnrolmentRepository } from '../enrolment/enrolment.repository.js';
import { CoordinatorError } from '../errors/index.js';
import { Database } from '../persistence/database.js';
import { waitingOf } from '../runs/run.waiting.js';
import { type RunView, askedSites, closedRounds, isOver, openRounds } from '../runs/run.view.js';
import { RunViews } from '../runs/run.views.js';
import { ChangeNotifier } from '../telemetry/change.notifier.js';
import { START, type SitePosition, owedInstructions } from './owed.js';
import { Presence } from './presence.js';

/** Ended runs of which a site is told again, in case it was away at their end. */
const ENDED_RUNS_TOLD = 8;

export interface PollCall {
  waitMs: number;
  positions: ReadonlyMap<string, SitePosition>;
  /** Name of the last answer. */
  known: string;
}

/** Answers polls: what is owed, at once when it differs from what the site knows, and when it changes otherwise. */
@Injectable()
export class PollService {
  constructor(
    private readonly views: RunViews,
    private readonly presence: Presence,
    private readonly notifier: ChangeNotifier,
    private readonly database: Database,
    private readonly enrolment: EnrolmentRepository,
  ) {}

  /** @throws CoordinatorError 'site-revoked' when that happens while the call is held */
  async poll(site: string, call: PollCall, signal: AbortSignal): Promise<PollResponse> {
    const endMs = Date.now() + call.waitMs;
    this.presence.arrived(site, Date.now(), call.waitMs);
    try {
      await this.database.transaction((manager) => this.enrolment.notePoll(manager, site, Date.now(), call.waitMs));
      for (;;) {
        const restMs = endMs - Date.now();
        // Asked for before reading: a change in between then wakes at once.
        const change = this.notifier.next(Math.max(restMs, 0), signal);
        const answer = await this.#answer(site, call.positions);
        if (answer.owed !== call.known || restMs <= 0) return answer;
        await change;
        // Nobody listens any more: the site has gone, or the coordinator is stopping and its database with it.
        if (signal.aborted) return answer;
        await this.#requireEnrolled(site);
      }
    } finally {
      this.presence.answered(site, Date.now());
    }
  }

  async #answer(site: string, positions: ReadonlyMap<string, SitePosition>): Promise<PollResponse> {
    const views = (await this.views.all()).filter((view) => askedSites(view).includes(site));
    const ended = views.filter(isOver).slice(-ENDED_RUNS_TOLD);
    const told = views.filter((view) => !isOver(view) || ended.includes(view));
    const instructions = told.flatMap((view) => owedInstructions(view, site, positions.get(view.run.run) ?? START));
    const owed = sha256Hex(PollResponse.encode(PollResponse.fromPartial({ instructions })).finish());
    return PollResponse.fromPartial({ coordinatorTimeMs: Date.now(), instructions, owed, runs: told.map((view) => wireView(view, site)) });
  }

  async #requireEnrolled(site: string): Promise<void> {
    const row = await this.database.transaction((manager) => this.enrolment.site(manager, site));
    if (row?.state !== 'enrolled') throw new CoordinatorError('site-revoked', `The site "${site}" has been revoked. Ask the operator.`);
  }
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
  };
}
