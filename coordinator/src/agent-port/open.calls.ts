import { Injectable, type OnModuleDestroy } from '@nestjs/common';
import { EnrolmentRepository } from '../enrolment/enrolment.repository.js';
import type { SiteRow } from '../enrolment/site.entity.js';
import { CoordinatorError } from '../errors/index.js';
import { Database } from '../persistence/database.js';
import { ChangeNotifier } from '../telemetry/change.notifier.js';
import { Health } from '../telemetry/health.js';
import { Log } from '../telemetry/log.js';

/** How late a revocation that another coordinator on the same database made may take effect here. */
const CHECK_MS = 1000;

/** Calls that are held open until there is something to tell. */
const HELD: ReadonlySet<string> = new Set([
  '/coferment.v1.PollingService/Poll',
  '/coferment.v1.LedgerService/AwaitCheckpoint',
  '/coferment.v1.OperatorService/WatchRun',
]);

/** A call from its first byte to its status. */
export interface OpenCall {
  /** From here on the call lasts only as long as this membership. */
  madeBy(member: Pick<SiteRow, 'site' | 'identityKey'>): void;
  ended(): void;
}

interface WatchedCall {
  member: Pick<SiteRow, 'site' | 'identityKey'>;
  end(refusal: CoordinatorError): void;
}

/**
 * Calls of members that are under way: an upload can last for hours, a poll is held for seconds. The gate judges a call when it begins; this judges it while
 * it lasts, so that a revoked site or one that has left sends not one chunk more. A renewed certificate ends nothing: the membership is the same.
 */
@Injectable()
export class OpenCalls implements OnModuleDestroy {
  readonly #calls = new Set<WatchedCall>();
  readonly #held = new Set<(refusal: CoordinatorError) => void>();
  readonly #stop = new AbortController();
  #watching = false;

  constructor(
    private readonly database: Database,
    private readonly enrolment: EnrolmentRepository,
    private readonly notifier: ChangeNotifier,
    private readonly log: Log,
    private readonly health: Health,
  ) {}

  /**
   * @param path of its method
   * @param end sends the refusal as the call's status
   */
  begin(path: string, end: (refusal: CoordinatorError) => void): OpenCall {
    if (HELD.has(path)) this.#held.add(end);
    let watched: WatchedCall | undefined;
    let over = false;
    return {
      madeBy: (member) => {
        if (over) return;
        watched = { member, end };
        this.#calls.add(watched);
        if (!this.#watching) void this.#watch();
      },
      ended: () => {
        over = true;
        this.#held.delete(end);
        if (watched !== undefined) this.#calls.delete(watched);
      },
    };
  }

  /** Calls that only wait end at once, so that a coordinator that stops need not wait for them. */
  endHeld(refusal: CoordinatorError): void {
    for (const end of this.#held) end(refusal);
    this.#held.clear();
  }

  onModuleDestroy(): void {
    this.#stop.abort();
  }

  async #watch(): Promise<void> {
    this.#watching = true;
    while (this.#calls.size > 0) {
      await this.notifier.next(CHECK_MS, this.#stop.signal);
      if (this.#stop.signal.aborted) break;
      try {
        await this.#check();
      } catch (error) {
        if (!this.health.report().ready) continue;
        this.log.error('open calls could not be checked', error);
      }
    }
    this.#watching = false;
  }

  async #check(): Promise<void> {
    const calls = [...this.#calls];
    if (calls.length === 0) return;
    const rows = await this.database.transaction((manager) => this.enrolment.sites(manager));
    const bySite = new Map(rows.map((row) => [row.site, row]));
    for (const call of calls) {
      const row = bySite.get(call.member.site);
      if (row?.state === 'enrolled' && row.identityKey === call.member.identityKey) continue;
      this.#calls.delete(call);
      call.end(
        new CoordinatorError(
          'site-revoked',
          `The site "${call.member.site}" is ${row?.state ?? 'removed'} in this consortium, so this call has been ended. Ask the operator for a new invite.`,
        ),
      );
      this.log.warn('a call of a former member was ended', { site: call.member.site });
    }
  }
}
