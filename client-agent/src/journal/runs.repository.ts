import { AgentError } from '../agent.error.js';
import type { JournalDatabase, Row } from './journal.database.js';
import type { RecordRepository } from './record.repository.js';

/** asked: waits for this site's people; dead: this site refuses everything further in it, `detail` says why. */
export type LocalRunState = 'asked' | 'approved' | 'dead' | 'closed';

export interface RunRecord {
  run: string;
  plan: string;
  ordinal: number;
  /** The sites this approval was given for, sorted. */
  sites: string[];
  state: LocalRunState;
  detail: string;
}

export interface EpochRecord {
  run: string;
  epoch: number;
  roster: string;
  fingerprint: string;
  e0: string;
  /** Null until this site has signed the epoch. */
  e: string | null;
}

/** Runs that this site lets itself be asked for within a day: for each it keeps a plan, and people are asked. */
export const MOST_RUNS_A_DAY = 100;
const DAY_MS = 86_400_000;

/** Runs and key epochs that this site takes part in. */
export class RunsRepository {
  constructor(
    private readonly database: JournalDatabase,
    private readonly record: RecordRepository,
    private readonly now: () => number,
  ) {}

  /** Before the plan of a run that is not known yet is fetched. @throws AgentError 'too-many-runs' */
  requireRoom(run: string): void {
    if (this.get(run) !== undefined) return;
    const opened = this.database.get('SELECT COUNT(*) AS runs FROM runs WHERE opened_ms > ?', this.now() - DAY_MS);
    if (Number(opened?.['runs']) < MOST_RUNS_A_DAY) return;
    throw new AgentError(
      'too-many-runs',
      `This site was asked for ${MOST_RUNS_A_DAY} new runs within a day; ${run} is one more, and was not looked at. Ask the operator.`,
    );
  }

  /** Remembers a run as it is first announced. A later announcement with another plan, ordinal or site list is refused. */
  announce(run: string, plan: string, ordinal: number, sites: readonly string[]): RunRecord {
    const time = this.now();
    return this.database.transaction(() => {
      const added = this.database.run(
        "INSERT OR IGNORE INTO runs (run, plan, ordinal, sites, state, detail, opened_ms) VALUES (?, ?, ?, ?, 'asked', '', ?)",
        run,
        plan,
        ordinal,
        JSON.stringify(sites),
        time,
      );
      if (added > 0) this.record.append({ kind: 'run-announced', run, plan, ordinal, sites: [...sites] }, time);
      const stored = this.get(run);
      if (stored === undefined || stored.plan !== plan || stored.ordinal !== ordinal || stored.sites.join() !== sites.join()) {
        throw new AgentError(
          'run-changed',
          `Run ${run} was announced before with other sites (${stored?.sites.join(', ') ?? 'none'}); now with ${sites.join(', ')}. Ask the operator.`,
        );
      }
      return stored;
    });
  }

  get(run: string): RunRecord | undefined {
    const row = this.database.get('SELECT * FROM runs WHERE run = ?', run);
    return row === undefined ? undefined : toRun(row);
  }

  all(): RunRecord[] {
    return this.database.all('SELECT * FROM runs ORDER BY opened_ms, run').map(toRun);
  }

  /** The largest ordinal this site has approved for another run of this plan. */
  largestApprovedOrdinal(plan: string, otherThan: string): number {
    const row = this.database.get(
      "SELECT MAX(ordinal) AS largest FROM runs WHERE plan = ? AND run <> ? AND state <> 'asked'",
      plan,
      otherThan,
    );
    return Number(row?.['largest'] ?? 0);
  }

  /** Runs that were approved here before this one was announced: the last of them, and every one of the same plan. */
  earlier(run: string, plan: string): RunRecord[] {
    const earlier = this.database.all(
      `SELECT * FROM runs WHERE state <> 'asked' AND run <> ?1
        AND rowid < COALESCE((SELECT rowid FROM runs WHERE run = ?1), (SELECT MAX(rowid) + 1 FROM runs)) ORDER BY rowid DESC`,
      run,
    );
    return earlier.map(toRun).filter((other, index) => index === 0 || other.plan === plan);
  }

  /** Remembers when this site was first asked for its update of a round. */
  noteTraining(run: string, round: number): void {
    const time = this.now();
    this.database.transaction(() => {
      const noted = this.database.run('INSERT OR IGNORE INTO training_rounds (run, round, first_ms) VALUES (?, ?, ?)', run, round, time);
      if (noted > 0) this.record.append({ kind: 'round-asked', run, round }, time);
    });
  }

  /** Rounds of all runs since then, other than the given one. */
  trainingRoundsSince(sinceMs: number, except: { run: string; round: number }): number {
    const row = this.database.get(
      'SELECT COUNT(*) AS rounds FROM training_rounds WHERE first_ms >= ? AND NOT (run = ? AND round = ?)',
      sinceMs,
      except.run,
      except.round,
    );
    return Number(row?.['rounds'] ?? 0);
  }

  setState(run: string, state: LocalRunState, detail = ''): void {
    this.database.transaction(() => {
      const changed = this.database.run(
        'UPDATE runs SET state = ?1, detail = ?2 WHERE run = ?3 AND (state <> ?1 OR detail <> ?2)',
        state,
        detail,
        run,
      );
      if (changed > 0) this.record.append({ kind: 'run-state', run, state, detail });
    });
  }

  /** One roster for a run and epoch, for life. */
  openEpoch(epoch: Omit<EpochRecord, 'e'>): void {
    this.database.transaction(() => {
      const largest = this.database.get('SELECT MAX(epoch) AS largest FROM epochs WHERE run = ?', epoch.run);
      const stored = this.epoch(epoch.run, epoch.epoch);
      if (stored !== undefined && stored.roster !== epoch.roster) {
        throw new AgentError(
          'roster-changed',
          `Epoch ${epoch.epoch} of ${epoch.run} was approved with roster ${stored.roster}; another one, ${epoch.roster}, is refused.`,
        );
      }
      if (stored === undefined && Number(largest?.['largest'] ?? 0) >= epoch.epoch) {
        throw new AgentError(
          'epoch-not-growing',
          `Epoch ${epoch.epoch} of ${epoch.run} is older than one this site has joined; epoch numbers only grow.`,
        );
      }
      const opened = this.database.run(
        'INSERT OR IGNORE INTO epochs (run, epoch, roster, fingerprint, e0) VALUES (?, ?, ?, ?, ?)',
        epoch.run,
        epoch.epoch,
        epoch.roster,
        epoch.fingerprint,
        epoch.e0,
      );
      const { run, roster, fingerprint, e0 } = epoch;
      if (opened > 0) this.record.append({ kind: 'epoch-opened', run, epoch: epoch.epoch, roster, fingerprint, e0 });
    });
  }

  agreeEpoch(run: string, epoch: number, e: string): void {
    const agreed = this.database.transaction(() => {
      const changed = this.database.run('UPDATE epochs SET e = ? WHERE run = ? AND epoch = ? AND e IS NULL', e, run, epoch);
      if (changed > 0) this.record.append({ kind: 'epoch-agreed', run, epoch, e });
      return this.epoch(run, epoch)?.e === e;
    });
    if (!agreed)
      throw new AgentError('epoch-changed', `Epoch ${epoch} of ${run} was signed with another set of dealings; this one is refused.`);
  }

  epoch(run: string, epoch: number): EpochRecord | undefined {
    const row = this.database.get('SELECT * FROM epochs WHERE run = ? AND epoch = ?', run, epoch);
    return row === undefined ? undefined : toEpoch(row);
  }

  /** The newest epoch of which this site knows E; 0 for none. */
  newestAgreed(run: string): number {
    const row = this.database.get('SELECT MAX(epoch) AS newest FROM epochs WHERE run = ? AND e IS NOT NULL', run);
    return Number(row?.['newest'] ?? 0);
  }

  epochs(run: string): EpochRecord[] {
    return this.database.all('SELECT * FROM epochs WHERE run = ? ORDER BY epoch', run).map(toEpoch);
  }
}

function toRun(row: Row): RunRecord {
  return {
    run: String(row['run']),
    plan: String(row['plan']),
    ordinal: Number(row['ordinal']),
    sites: JSON.parse(String(row['sites'])) as string[],
    state: String(row['state']) as LocalRunState,
    detail: String(row['detail']),
  };
}

function toEpoch(row: Row): EpochRecord {
  return {
    run: String(row['run']),
    epoch: Number(row['epoch']),
    roster: String(row['roster']),
    fingerprint: String(row['fingerprint']),
    e0: String(row['e0']),
    e: row['e'] === null ? null : String(row['e']),
  };
}
