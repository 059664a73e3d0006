import { formatDuration } from '@coferment/consortium';
import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { Database } from '../persistence/database.js';
import { Presence } from '../rounds/presence.js';
import { Clock } from '../telemetry/clock.js';
import { Health } from '../telemetry/health.js';
import { Log } from '../telemetry/log.js';
import { RunRepository } from './run.repository.js';

/** How often the calendar is looked at. */
const EVERY_MS = 1000;
/** Less than this is a slow moment or a correction of the clock, and changes no deadline. */
const LEAP_MS = 10_000;
/** Without the database no poll is taken in: after so long, whoever was not heard may have tried. */
const UNHEARD_MS = 3000;
/** Certificates, invites and cosignatures go by the calendar of this machine: beyond this it is likely wrong. */
const APART_MS = 60_000;

/** Runs whose deadlines go on. While a run is paused its clock stands still anyway; in one that is over nothing is open. */
const IDLE = `('paused', 'completed', 'aborted', 'failed')`;

/**
 * A deadline is so much time in which a coordinator could be reached, not a point of the calendar. Up to when that was is kept in the database; when the calendar
 * is found somewhere else than right after it (the coordinator or its database was away, or a clock was set), every open deadline is moved by the difference, in one
 * transaction and so once, however many coordinators notice. Time comes from the database's machine, so that all coordinators on it go by the same.
 *
 * With several coordinators, one that has not looked again since a clock was set BACK goes by the old time for up to a second.
 */
@Injectable()
export class KeptTime {
  #lookedMs = Number.NEGATIVE_INFINITY;
  #last: { steadyMs: number; nowMs: number } | undefined;
  #looking: Promise<void> | undefined;

  constructor(
    private readonly database: Database,
    private readonly runs: RunRepository,
    private readonly clock: Clock,
    private readonly presence: Presence,
    private readonly health: Health,
    private readonly log: Log,
  ) {}

  /** The time to decide by, once what passed unseen is taken into account. @throws CoordinatorError 'unavailable' */
  async nowMs(): Promise<number> {
    if (this.clock.steadyMs() - this.#lookedMs >= EVERY_MS) {
      this.#looking ??= this.#look().finally(() => (this.#looking = undefined));
      await this.#looking;
    }
    return this.clock.nowMs();
  }

  async #look(): Promise<void> {
    const { nowMs, leapMs } = await this.database.transaction((manager) => this.#keep(manager));
    this.clock.set(nowMs);
    this.#lookedMs = this.clock.steadyMs();
    this.#compareWithLast({ steadyMs: performance.now(), nowMs });
    if (leapMs !== 0) this.log.warn('open deadlines were moved', { durationMs: leapMs });
    this.#compare(nowMs);
  }

  async #keep(manager: EntityManager): Promise<{ nowMs: number; leapMs: number }> {
    const [row] = (await manager.query(
      'SELECT seen_ms, floor(extract(epoch FROM clock_timestamp()) * 1000)::bigint AS now_ms FROM kept_time FOR UPDATE',
    )) as { seen_ms: string | null; now_ms: string }[];
    const nowMs = Number(row?.now_ms);
    const sinceMs = row === undefined || row.seen_ms === null ? 0 : nowMs - Number(row.seen_ms);
    await manager.query('UPDATE kept_time SET seen_ms = $1', [nowMs]);
    if (Math.abs(sinceMs) < LEAP_MS) return { nowMs, leapMs: 0 };
    await this.#move(manager, sinceMs, nowMs);
    return { nowMs, leapMs: sinceMs };
  }

  async #move(manager: EntityManager, leapMs: number, nowMs: number): Promise<void> {
    // The version too: who decided on the old deadlines decides again.
    const [moved] = (await manager.query(
      `UPDATE run SET version = version + 1, approve_by_ms = CASE WHEN state = 'awaiting-approval' THEN approve_by_ms + $1 ELSE approve_by_ms END
       WHERE state NOT IN ${IDLE} RETURNING run`,
      [leapMs],
    )) as [{ run: string }[], number];
    const runs = moved.map(({ run }) => run);
    await manager.query(`UPDATE round SET deadline_ms = deadline_ms + $1 WHERE closed_ms IS NULL AND run = ANY($2)`, [leapMs, runs]);
    for (const run of runs)
      await this.runs.addEvent(manager, { timeMs: nowMs, run, type: 'note', state: '', site: '', text: described(leapMs), sum: null });
  }

  /** A site is not absent because nobody could hear it, nor because the time by which others noted its polls was set. */
  #compareWithLast(found: { steadyMs: number; nowMs: number }): void {
    const last = this.#last;
    this.#last = found;
    if (last === undefined) return;
    const [unseenMs, passedMs] = [found.steadyMs - last.steadyMs, found.nowMs - last.nowMs];
    if (Math.max(unseenMs, passedMs) >= UNHEARD_MS) this.presence.heardAgain(this.clock.steadyMs());
  }

  #compare(nowMs: number): void {
    const apartMs = Date.now() - nowMs;
    if (Math.abs(apartMs) < APART_MS) return this.health.passed('clock');
    this.health.failed(
      'clock',
      `The clock of this machine is ${lengthOf(apartMs)} ${apartMs > 0 ? 'ahead of' : 'behind'} that of its database. Switch on time synchronisation (NTP) on both: certificates and cosignatures go by it.`,
    );
  }
}

function described(leapMs: number): string {
  const cause =
    leapMs > 0
      ? 'No coordinator kept time for so long: it or its database was away, or a clock was set forwards'
      : 'A clock was set back by so much';
  return `Open deadlines were moved by ${leapMs > 0 ? '' : '−'}${lengthOf(leapMs)}. ${cause}.`;
}

function lengthOf(ms: number): string {
  const unitMs = Math.abs(ms) < 600_000 ? 1000 : 60_000;
  return formatDuration(Math.round(Math.abs(ms) / unitMs) * unitMs);
}
