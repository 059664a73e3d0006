import { AgentError } from '../agent.error.js';
import type { JournalDatabase, Row } from './journal.database.js';
import type { RecordRepository } from './record.repository.js';

export type Decision = 'approved' | 'rejected' | 'withdrawn';
export type PlanDecision = Decision | 'undecided' | 'other-sites';

export interface RecordedDecision {
  plan: string;
  ordinal: number;
  decision: Decision;
  decidedMs: number;
  /** `policy`: every standing rule of the site held, and they say that this is enough. */
  decidedBy: 'person' | 'policy';
  reason: string;
}

/** A roster that waits, or waited, for the people of this site. */
export interface ShownRoster {
  run: string;
  epoch: number;
  /** Digest of the object. */
  roster: string;
  fingerprint: string;
}

/** What the people of this site decided. Written by the command line, read by the serving agent, both on one journal. */
export class ApprovalsRepository {
  constructor(
    private readonly database: JournalDatabase,
    private readonly record: RecordRepository,
    private readonly now: () => number,
  ) {}

  /**
   * @param sites the site list that was shown, or undefined when the run is not known yet: then the first list that arrives is bound. Only the first
   * run of a plan can be approved so: of a later one the lists of both must be compared.
   * @throws AgentError 'not-approved'
   */
  decidePlan(
    plan: string,
    ordinal: number,
    decision: Decision,
    sites?: readonly string[],
    { by = 'person', reason = '' }: { by?: RecordedDecision['decidedBy']; reason?: string } = {},
  ): void {
    if (decision === 'approved' && ordinal > 1 && sites === undefined) {
      throw new AgentError(
        'not-approved',
        `Run ${ordinal} of plan ${plan} has not been announced yet, so its sites cannot be compared with those of the earlier runs. Nothing was approved; approve it when the request is here.`,
      );
    }
    const time = this.now();
    this.database.transaction(() => {
      const inserted = this.database.get(
        'INSERT INTO plan_approvals (plan, ordinal, sites, decision, decided_ms, decided_by, reason) VALUES (?, ?, ?, ?, ?, ?, ?) RETURNING id',
        plan,
        ordinal,
        sites === undefined ? null : JSON.stringify(sites),
        decision,
        time,
        by,
        reason,
      );
      const row = Number(inserted?.['id']);
      this.record.append(
        { kind: `plan-${decision}`, row, plan, ordinal, sites: sites === undefined ? null : [...sites], by, reason },
        time,
      );
    });
  }

  /** The latest decision on this plan, ordinal and site list. An early approval is bound to the first list it meets. */
  planDecision(plan: string, ordinal: number, sites: readonly string[]): PlanDecision {
    const shown = JSON.stringify(sites);
    return this.database.transaction(() => {
      const latest = this.database.get(
        'SELECT id, sites, decision FROM plan_approvals WHERE plan = ? AND ordinal = ? ORDER BY id DESC LIMIT 1',
        plan,
        ordinal,
      );
      if (latest === undefined) return 'undecided';
      if (latest['decision'] !== 'approved') return latest['decision'] as Decision;
      if (latest['sites'] === null && ordinal > 1) return 'undecided';
      if (latest['sites'] === null) {
        this.database.run('UPDATE plan_approvals SET sites = ? WHERE id = ?', shown, latest['id'] ?? null);
        this.record.append({ kind: 'approval-bound', row: Number(latest['id']), sites: [...sites] });
      }
      return latest['sites'] === null || latest['sites'] === shown ? 'approved' : 'other-sites';
    });
  }

  /** The latest decision on this run, whatever sites it was for. */
  latestDecision(plan: string, ordinal: number): RecordedDecision | undefined {
    const row = this.database.get('SELECT * FROM plan_approvals WHERE plan = ? AND ordinal = ? ORDER BY id DESC LIMIT 1', plan, ordinal);
    return row === undefined ? undefined : toDecision(row);
  }

  /** The latest on each run. */
  planDecisions(): RecordedDecision[] {
    return this.database
      .all('SELECT * FROM plan_approvals WHERE id IN (SELECT MAX(id) FROM plan_approvals GROUP BY plan, ordinal) ORDER BY id')
      .map(toDecision);
  }

  approveRoster(fingerprint: string): void {
    const time = this.now();
    this.database.transaction(() => {
      const inserted = this.database.get(
        'INSERT INTO roster_approvals (fingerprint, decided_ms) VALUES (?, ?) RETURNING id',
        fingerprint,
        time,
      );
      this.record.append({ kind: 'roster-approved', row: Number(inserted?.['id']), fingerprint }, time);
      // Entered again while in use, it must not lie in store for the day on which it is an old one.
      if (this.lastRoster() === fingerprint) this.#use(fingerprint);
    });
  }

  /**
   * Whether a person stands behind this fingerprint: it is the one last used, or one entered and not used yet. Going back to
   * an older roster is a change too and needs a person again, so all its entries are used up together. Order is that of use, never of a clock.
   */
  useRoster(fingerprint: string): boolean {
    return this.database.transaction(() => this.lastRoster() === fingerprint || this.#use(fingerprint));
  }

  /**
   * As {@link useRoster}, for a roster in which approved sites are missing: what was entered before people could see that does not count, nor does it
   * help that the same fingerprint was approved for another run.
   */
  useShownRoster({ run, epoch, roster, fingerprint }: ShownRoster): boolean {
    return this.database.transaction(() => {
      const entered = this.database.get(
        'SELECT 1 FROM shown_rosters AS shown JOIN roster_approvals AS entry ON entry.fingerprint = shown.fingerprint AND entry.id > shown.entries ' +
          'WHERE shown.run = ? AND shown.epoch = ? AND shown.roster = ?',
        run,
        epoch,
        roster,
      );
      if (entered !== undefined) this.#use(fingerprint);
      return entered !== undefined;
    });
  }

  /** Remembers that this roster is on the screen, and which approvals had been entered before. */
  showRoster({ run, epoch, roster, fingerprint }: ShownRoster): void {
    this.database.transaction(() => {
      const shown = this.database.get('SELECT roster FROM shown_rosters WHERE run = ? AND epoch = ?', run, epoch);
      if (shown?.['roster'] === roster) return;
      const entries = Number(this.database.get('SELECT COALESCE(MAX(id), 0) AS last FROM roster_approvals')?.['last']);
      this.database.run(
        'INSERT OR REPLACE INTO shown_rosters (run, epoch, roster, fingerprint, entries) VALUES (?, ?, ?, ?, ?)',
        run,
        epoch,
        roster,
        fingerprint,
        entries,
      );
      this.record.append({ kind: 'roster-shown', run, epoch, roster, fingerprint, entries });
    });
  }

  shownRosters(): ShownRoster[] {
    return this.database.all('SELECT * FROM shown_rosters ORDER BY run, epoch').map((row) => ({
      run: String(row['run']),
      epoch: Number(row['epoch']),
      roster: String(row['roster']),
      fingerprint: String(row['fingerprint']),
    }));
  }

  lastRoster(): string | undefined {
    const row = this.database.get('SELECT fingerprint FROM roster_approvals WHERE used IS NOT NULL ORDER BY used DESC LIMIT 1');
    return row === undefined ? undefined : String(row['fingerprint']);
  }

  #use(fingerprint: string): boolean {
    const time = this.now();
    const rows = this.database
      .all('SELECT id FROM roster_approvals WHERE fingerprint = ? AND used IS NULL ORDER BY id', fingerprint)
      .map((row) => Number(row['id']));
    if (rows.length === 0) return false;
    const use = Number(this.database.get('SELECT COALESCE(MAX(used), 0) + 1 AS next FROM roster_approvals')?.['next']);
    this.database.run('UPDATE roster_approvals SET used_ms = ?, used = ? WHERE fingerprint = ? AND used IS NULL', time, use, fingerprint);
    this.record.append({ kind: 'roster-used', rows, fingerprint, use }, time);
    return true;
  }
}

function toDecision(row: Row): RecordedDecision {
  return {
    plan: String(row['plan']),
    ordinal: Number(row['ordinal']),
    decision: String(row['decision']) as Decision,
    decidedMs: Number(row['decided_ms']),
    decidedBy: String(row['decided_by']) as RecordedDecision['decidedBy'],
    reason: String(row['reason']),
  };
}
