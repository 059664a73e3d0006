import type { WatchRunResponse } from '@coferment/proto';

/** Of one sum: how long it was in each state, from the events of the run. */
export interface SumTimes {
  openedMs: number;
  closedMs: number | undefined;
  phases: Map<string, number>;
}

const ENDED = new Set(['closed', 'abandoned', 'superseded']);

/** Adds up how long a run and its sums were in their states. Times are the coordinator's own. */
export class RunTimes {
  readonly stages: { state: string; sinceMs: number; seconds: number }[] = [];
  readonly #sums = new Map<number, SumTimes & { state: string; sinceMs: number }>();
  events = 0;

  take({ type, state, timeMs, round }: WatchRunResponse): void {
    this.events += 1;
    if (type === 'run-state') this.#stage(state, timeMs);
    if (type === 'round-state' && round !== undefined) this.#sum(round.sum, state, timeMs);
  }

  sum(number: number): SumTimes | undefined {
    return this.#sums.get(number);
  }

  #stage(state: string, timeMs: number): void {
    const last = this.stages.at(-1);
    if (last !== undefined) last.seconds = (timeMs - last.sinceMs) / 1000;
    this.stages.push({ state, sinceMs: timeMs, seconds: 0 });
  }

  #sum(number: number, state: string, timeMs: number): void {
    const known = this.#sums.get(number);
    if (known === undefined) {
      this.#sums.set(number, { openedMs: timeMs, closedMs: undefined, phases: new Map(), state, sinceMs: timeMs });
      return;
    }
    known.phases.set(known.state, (known.phases.get(known.state) ?? 0) + (timeMs - known.sinceMs) / 1000);
    known.state = state;
    known.sinceMs = timeMs;
    if (ENDED.has(state)) known.closedMs = timeMs;
  }
}
