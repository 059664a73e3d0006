import { Injectable } from '@nestjs/common';
import type { SiteMember } from '../enrolment/site.entity.js';

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
export const RECONNECT_MS = 10_000;

/** Who polls at the moment, by identity: a new one under an old name does not make the old one present. Only what follows from it (who was left out, and why) is stored. */
@Injectable()
export class Presence {
  /** Times are those of {@link Clock.steadyMs}: nobody becomes absent because a clock was set. */
  readonly #expectedMs = performance.now() + RECONNECT_MS;
  readonly #observations = new Map<string, Observation>();
  /** Since when sites could be heard again, and the time to come back. */
  #heardAgainMs = Number.NEGATIVE_INFINITY;
  /** Of those that polled at another coordinator last. */
  #elsewhere: ReadonlyMap<string, Observation> = new Map();

  /** What an earlier process knew: how long the site's polls are. */
  remember({ identityKey }: SiteMember, waitMs: number): void {
    this.#observations.set(identityKey, { held: 0, lastMs: this.#expectedMs, waitMs });
  }

  arrived(member: SiteMember, nowMs: number, waitMs: number): void {
    const held = this.#observations.get(member.identityKey)?.held ?? 0;
    this.#observations.set(member.identityKey, { held: held + 1, lastMs: nowMs, waitMs });
  }

  answered(member: SiteMember, nowMs: number): void {
    const { held, waitMs } = this.#observations.get(member.identityKey) ?? { held: 1, waitMs: 0 };
    this.#observations.set(member.identityKey, { held: held - 1, lastMs: nowMs, waitMs });
  }

  /** @param elsewhere what other coordinators have stored of those that polled there last, by identity */
  follow(elsewhere: ReadonlyMap<string, Observation>): void {
    this.#elsewhere = elsewhere;
  }

  /** Until now no poll could be taken in, here or elsewhere: everybody has as long as after a start. */
  heardAgain(nowMs: number): void {
    this.#heardAgainMs = nowMs + RECONNECT_MS;
  }

  /** A poll that is held here counts, and otherwise whatever was heard last, here or elsewhere. */
  of({ identityKey }: SiteMember): Observation {
    const here = this.#observations.get(identityKey) ?? { held: 0, lastMs: this.#expectedMs, waitMs: 0 };
    const there = this.#elsewhere.get(identityKey);
    return here.held > 0 || there === undefined || there.lastMs < here.lastMs ? here : there;
  }

  /** @returns how long ago it was last heard of: 0 while a poll of it is open; undefined where it was not since this process started */
  silentMs(member: SiteMember, nowMs: number): number | undefined {
    const { held, lastMs } = this.of(member);
    if (held > 0) return 0;
    return lastMs === this.#expectedMs ? undefined : Math.max(0, nowMs - lastMs);
  }

  /** @returns the names of those that are absent */
  absent(members: readonly SiteMember[], nowMs: number, absentAfterPolls: number): Set<string> {
    const isGone = (member: SiteMember) => {
      const { lastMs, ...rest } = this.of(member);
      return isAbsent({ ...rest, lastMs: Math.max(lastMs, this.#heardAgainMs) }, nowMs, absentAfterPolls);
    };
    return new Set(members.filter(isGone).map(({ site }) => site));
  }
}
