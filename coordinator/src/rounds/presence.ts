import { Injectable } from '@nestjs/common';

/** What is known of a site's polls. */
export interface Observation {
  /** Polls that are held open now. */
  held: number;
  /** When it was last heard of, or by when it should have found a coordinator that has just started. */
  lastMs: number;
  waitMs: number;
}

/** Agents that poll without waiting are still given this long for each poll. */
const SHORTEST_POLL_MS = 1000;

/**
 * A site is absent when it has missed so many polls. An open poll counts as present; so does a coordinator's fresh start, since nobody could poll while
 * it was down.
 */
export function isAbsent(observation: Observation, nowMs: number, absentAfterPolls: number): boolean {
  if (observation.held > 0) return false;
  return nowMs - observation.lastMs > absentAfterPolls * Math.max(SHORTEST_POLL_MS, observation.waitMs);
}

/** While the coordinator is away, agents try again at longer and longer intervals: they need this long to notice that it is back. */
const RECONNECT_MS = 10_000;

/** Who polls at the moment. Only what follows from it (who was left out, and why) is stored. */
@Injectable()
export class Presence {
  readonly #expectedMs = Date.now() + RECONNECT_MS;
  readonly #observations = new Map<string, Observation>();

  /** What an earlier process knew: how long the site's polls are. */
  remember(site: string, waitMs: number): void {
    this.#observations.set(site, { held: 0, lastMs: this.#expectedMs, waitMs });
  }

  arrived(site: string, nowMs: number, waitMs: number): void {
    this.#observations.set(site, { held: this.of(site).held + 1, lastMs: nowMs, waitMs });
  }

  answered(site: string, nowMs: number): void {
    const { held, waitMs } = this.of(site);
    this.#observations.set(site, { held: held - 1, lastMs: nowMs, waitMs });
  }

  of(site: string): Observation {
    return this.#observations.get(site) ?? { held: 0, lastMs: this.#expectedMs, waitMs: 0 };
  }

  absent(sites: readonly string[], nowMs: number, absentAfterPolls: number): Set<string> {
    return new Set(sites.filter((site) => isAbsent(this.of(site), nowMs, absentAfterPolls)));
  }
}
