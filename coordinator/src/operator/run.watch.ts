import { WatchRunResponse } from '@coferment/proto';
import { Injectable } from '@nestjs/common';
import { Database } from '../persistence/database.js';
import type { EventRow } from '../runs/event.entity.js';
import { RunRepository } from '../runs/run.repository.js';
import { type RunView, isOver } from '../runs/run.view.js';
import { RunViews } from '../runs/run.views.js';
import { ChangeNotifier } from '../telemetry/change.notifier.js';
import { roundStatus } from './run.status.js';

const CHECK_MS = 5000;

/** The events of a run as they happen, from any earlier one on, until the run is over. */
@Injectable()
export class RunWatch {
  constructor(
    private readonly views: RunViews,
    private readonly database: Database,
    private readonly repository: RunRepository,
    private readonly notifier: ChangeNotifier,
  ) {}

  async *follow(run: string, after: number, signal: AbortSignal): AsyncIterable<WatchRunResponse> {
    let last = after;
    while (!signal.aborted) {
      const change = this.notifier.next(CHECK_MS, signal);
      // The view first: every event up to its state is then among those read after it.
      const view = await this.views.load(run);
      const rows = await this.database.transaction((manager) => this.repository.events(manager, run, last));
      // And once more after: an event tells of its round as it was then or later, never as it was before.
      const shown = rows.length === 0 ? view : await this.views.load(run);
      for (const row of rows) yield eventMessage(shown, row);
      last = rows.at(-1)?.sequence ?? last;
      if (rows.length === 0 && isOver(view)) return;
      if (rows.length === 0) await change;
    }
  }
}

function eventMessage(view: RunView, row: EventRow): WatchRunResponse {
  const round = view.rounds.find((candidate) => candidate.sum === row.sum);
  const { sequence, timeMs, run, type, state, site, text } = row;
  // A round's state is the event's own: the round may be further by now, and who watches must see every state once.
  const shown = round === undefined ? {} : { round: { ...roundStatus(round), ...(type === 'round-state' ? { state } : {}) } };
  return WatchRunResponse.fromPartial({ sequence, timeMs, run, type, state, site, text, ...shown });
}
