import { Injectable } from '@nestjs/common';
import { EnrolmentRepository } from '../enrolment/enrolment.repository.js';
import type { SiteRow } from '../enrolment/site.entity.js';
import { Database } from '../persistence/database.js';
import type { Sighting } from '../replicas/replica.repository.js';
import { ALIVE_MS, Replicas } from '../replicas/replicas.service.js';
import { type Observation, Presence, RECONNECT_MS } from './presence.js';

/**
 * What a coordinator can say of a site that polled last at another one. The poll may be held there for as long as it was asked to; and when that coordinator is gone, the
 * site first has to find another. Since it takes a while to notice that it is gone, as much is granted in any case.
 * @param there the coordinator that the site polled at; undefined if nothing is known of it
 * @param startedMs when this coordinator began to look
 * @returns all times by the database's clock
 */
export function observedElsewhere(
  { lastPollMs, waitMs }: Pick<SiteRow, 'lastPollMs' | 'waitMs'>,
  there: Sighting | undefined,
  startedMs: number,
  nowMs: number,
): Observation {
  const heldUntilMs = lastPollMs + waitMs + ALIVE_MS;
  const isAlive = there !== undefined && there.isRunning && nowMs - there.seenMs <= ALIVE_MS;
  // Nobody could poll there any more, nor here before this one had started.
  const lastMs = isAlive ? heldUntilMs : Math.max(heldUntilMs, startedMs + RECONNECT_MS, (there?.seenMs ?? 0) + RECONNECT_MS);
  return { held: 0, lastMs, waitMs };
}

/** Keeps {@link Presence} informed of sites that poll at other coordinators on this database. */
@Injectable()
export class PresenceElsewhere {
  #startedMs: number | undefined;

  constructor(
    private readonly database: Database,
    private readonly enrolment: EnrolmentRepository,
    private readonly replicas: Replicas,
    private readonly presence: Presence,
  ) {}

  /** Nothing is to be done on an embedded database. */
  async follow(): Promise<void> {
    if (!this.database.isShared) return;
    const rows = await this.database.transaction((manager) => this.enrolment.sites(manager));
    const nowMs = this.replicas.nowMs();
    this.#startedMs ??= nowMs;
    // Presence is judged by this machine's clock.
    const offsetMs = nowMs - Date.now();
    const elsewhere = new Map<string, Observation>();
    for (const { identityKey, polledAt, lastPollMs, waitMs } of rows) {
      if (identityKey === null || polledAt === '' || polledAt === this.replicas.id) continue;
      const there = this.replicas.others.find(({ id }) => id === polledAt);
      const seen = observedElsewhere({ lastPollMs, waitMs }, there, this.#startedMs, nowMs);
      elsewhere.set(identityKey, { ...seen, lastMs: seen.lastMs - offsetMs });
    }
    this.presence.follow(elsewhere);
  }
}
