import type { SumKind } from '@coferment/consortium';
import { bytesToHex, hexToBytes } from '@coferment/crypto';
import type { JournalDatabase } from './journal.database.js';
import type { RecordRepository } from './record.repository.js';
import { textDigest } from './record.tables.js';

/** How far the ledger has been read: how many entries, and the SHA-256 of the last of them. */
export interface ReadPosition {
  entries: number;
  lastEntry: string;
  /** The Merkle tree of the entries: the hashes of its complete subtrees, 32 bytes each, the largest first. */
  subtrees?: readonly Uint8Array[];
}

/** An act of this site that stands in the ledger and not among its statements. */
export interface ForgottenAct {
  digest: string;
  run: string;
  name: string;
  /** Null where the act says only E, and no epoch with it is known. */
  epoch: number | null;
  e: string | null;
  kind: SumKind | null;
  sum: number | null;
}

/** A key epoch in which this site does nothing more, and why. */
export interface DeadEpoch {
  run: string;
  epoch: number;
  reason: string;
}

/**
 * What the ledger shows of this site's own acts. It lies in the same file as the statements: a file restored from a backup has read less, and so reads
 * again what it has forgotten.
 */
export class OwnActsRepository {
  constructor(
    private readonly database: JournalDatabase,
    private readonly record: RecordRepository,
    private readonly now: () => number,
  ) {}

  position(): ReadPosition {
    const row = this.database.get(
      'SELECT position.entries, last_entry, subtrees FROM ledger_position AS position LEFT JOIN ledger_frontier USING (id, entries)',
    );
    if (row === undefined) return { entries: 0, lastEntry: '' };
    const read = { entries: Number(row['entries']), lastEntry: String(row['last_entry']) };
    const { subtrees } = row;
    return typeof subtrees === 'string' ? { ...read, subtrees: subtrees.split(' ').filter(Boolean).map(hexToBytes) } : read;
  }

  moveTo({ entries, lastEntry, subtrees }: ReadPosition): void {
    const stored = subtrees?.map(bytesToHex).join(' ');
    this.database.transaction(() => {
      this.database.run('INSERT OR REPLACE INTO ledger_position (id, entries, last_entry) VALUES (1, ?, ?)', entries, lastEntry);
      if (stored !== undefined)
        this.database.run('INSERT OR REPLACE INTO ledger_frontier (id, entries, subtrees) VALUES (1, ?, ?)', entries, stored);
      const frontier = stored === undefined ? {} : { frontier: textDigest(stored) };
      this.record.append({ kind: 'ledger-read', entries, lastEntry, ...frontier });
    });
  }

  noteForgotten({ digest, run, name, epoch, e, kind, sum }: ForgottenAct): void {
    this.database.transaction(() => {
      const noted = this.database.run(
        'INSERT OR IGNORE INTO forgotten_acts (digest, run, name, epoch, e, kind, sum) VALUES (?, ?, ?, ?, ?, ?, ?)',
        digest,
        run,
        name,
        epoch,
        e,
        kind,
        sum,
      );
      if (noted > 0) this.record.append({ kind: 'act-forgotten', run, digest, name, epoch, e, sumKind: kind, sum });
    });
  }

  /** The epoch that this site has agreed on as E, in an act that it may have forgotten. */
  epochOf(run: string, e: string): number | undefined {
    const row = this.database.get(
      'SELECT epoch FROM epochs WHERE run = ?1 AND e = ?2 UNION SELECT epoch FROM forgotten_acts WHERE run = ?1 AND e = ?2 AND epoch IS NOT NULL',
      run,
      e,
    );
    return row === undefined ? undefined : Number(row['epoch']);
  }

  /**
   * Whether a forgotten upload of this kind was made from the present model: it went to a sum after the one that gave this model. Sums that leave the model
   * alone, such as the confirm sums of a later key epoch, do not make it older. Statistics start from no model and have one vector in all runs of a plan.
   */
  hasForgottenUpload(run: string, kind: SumKind): boolean {
    const sql = `SELECT 1 FROM forgotten_acts WHERE name = 'contribution' AND kind = ?2 AND (
      run = ?1 AND sum > (SELECT COALESCE(MAX(model_sum), 0) FROM run_states WHERE run = ?1)
      OR kind = 'statistics' AND run IN (SELECT other.run FROM runs AS own JOIN runs AS other ON other.plan = own.plan WHERE own.run = ?1))`;
    return this.database.get(sql, run, kind) !== undefined;
  }

  /** The first reason stays. */
  killEpoch({ run, epoch, reason }: DeadEpoch): void {
    const time = this.now();
    this.database.transaction(() => {
      const killed = this.database.run(
        'INSERT OR IGNORE INTO dead_epochs (run, epoch, reason, since_ms) VALUES (?, ?, ?, ?)',
        run,
        epoch,
        reason,
        time,
      );
      if (killed > 0) this.record.append({ kind: 'epoch-left', run, epoch, reason }, time);
    });
  }

  whyDead(run: string, epoch: number): string | undefined {
    const row = this.database.get('SELECT reason FROM dead_epochs WHERE run = ? AND epoch = ?', run, epoch);
    return row === undefined ? undefined : String(row['reason']);
  }

  deadEpochs(): DeadEpoch[] {
    return this.database.all('SELECT run, epoch, reason FROM dead_epochs ORDER BY run, epoch').map(toDeadEpoch);
  }

  /** Dead epochs that the coordinator has not been told of. */
  untold(): DeadEpoch[] {
    return this.database.all('SELECT run, epoch, reason FROM dead_epochs WHERE told = 0 ORDER BY run, epoch').map(toDeadEpoch);
  }

  noteTold(run: string, epoch: number): void {
    this.database.transaction(() => {
      const told = this.database.run('UPDATE dead_epochs SET told = 1 WHERE run = ? AND epoch = ? AND told = 0', run, epoch);
      if (told > 0) this.record.append({ kind: 'epoch-left-told', run, epoch });
    });
  }
}

function toDeadEpoch(row: Record<string, unknown>): DeadEpoch {
  return { run: String(row['run']), epoch: Number(row['epoch']), reason: String(row['reason']) };
}
