import type { SumKind } from '@coferment/consortium';
import type { JournalDatabase, Row } from './journal.database.js';
import type { RecordRepository } from './record.repository.js';
import { textDigest } from './record.tables.js';

/** A contribution of this site that was counted. */
export interface CountedContribution {
  /** SHA-256 of it as it was signed. */
  contribution: string;
  run: string;
  sum: number;
  kind: SumKind;
  round: number;
  attempt: number;
}

/** What the site can hand out: all of it is verified before it is stored. */
export interface ReceiptMaterial {
  /** tlog-proof texts, each with its entry. */
  contributionProof: string;
  freezeProof: string;
  /** The operator's signed statement, as UTF-8 JSON. */
  freeze: string;
  /** C2SP tlog-policy: log and witnesses as the ledger named them below the checkpoint. */
  policy: string;
}

export interface Receipt extends CountedContribution {
  owedMs: number;
  /** Witnesses that it waited for when they were last too few. */
  needed: number | undefined;
  stored: (ReceiptMaterial & { atMs: number }) | undefined;
}

/** Receipts of this site, and those that it is still owed: both outlive the agent. */
export class ReceiptsRepository {
  constructor(
    private readonly database: JournalDatabase,
    private readonly record: RecordRepository,
    private readonly now: () => number,
  ) {}

  owe({ contribution, run, sum, kind, round, attempt }: CountedContribution): void {
    const time = this.now();
    this.database.transaction(() => {
      const added = this.database.run(
        'INSERT OR IGNORE INTO receipts (contribution, run, sum, kind, round, attempt, owed_ms) VALUES (?, ?, ?, ?, ?, ?, ?)',
        contribution,
        run,
        sum,
        kind,
        round,
        attempt,
        time,
      );
      if (added > 0) this.record.append({ kind: 'receipt-owed', run, sum, sumKind: kind, round, attempt, contribution }, time);
    });
  }

  noteWaiting({ run, contribution }: CountedContribution, needed: number): void {
    this.database.transaction(() => {
      const sql = 'UPDATE receipts SET needed = ?1 WHERE contribution = ?2 AND stored_ms IS NULL AND needed IS NOT ?1';
      if (this.database.run(sql, needed, contribution) > 0) this.record.append({ kind: 'receipt-waits', run, contribution, needed });
    });
  }

  /** The first one stays. */
  store({ run, contribution }: CountedContribution, { contributionProof, freezeProof, freeze, policy }: ReceiptMaterial): void {
    const time = this.now();
    this.database.transaction(() => {
      const stored = this.database.run(
        `UPDATE receipts SET stored_ms = ?, contribution_proof = ?, freeze_proof = ?, freeze = ?, policy = ?
         WHERE contribution = ? AND stored_ms IS NULL`,
        time,
        contributionProof,
        freezeProof,
        freeze,
        policy,
        contribution,
      );
      if (stored === 0) return;
      const parts = {
        contributionProof: textDigest(contributionProof),
        freezeProof: textDigest(freezeProof),
        freeze: textDigest(freeze),
        policy: textDigest(policy),
      };
      this.record.append({ kind: 'receipt-stored', run, contribution, ...parts }, time);
    });
  }

  /** Oldest first. */
  owed(): Receipt[] {
    return this.database.all('SELECT * FROM receipts WHERE stored_ms IS NULL ORDER BY owed_ms, run, sum').map(toReceipt);
  }

  all(): Receipt[] {
    return this.database.all('SELECT * FROM receipts ORDER BY owed_ms, run, sum').map(toReceipt);
  }

  /** Contributions that were counted, and how many receipts of them are stored, by kind of sum. */
  totals(): { kind: SumKind; counted: number; stored: number }[] {
    return this.database
      .all('SELECT kind, COUNT(*) AS counted, COUNT(stored_ms) AS stored FROM receipts GROUP BY kind ORDER BY kind')
      .map((row) => ({ kind: String(row['kind']) as SumKind, counted: Number(row['counted']), stored: Number(row['stored']) }));
  }

  find(run: string, sum: number): Receipt | undefined {
    const row = this.database.get('SELECT * FROM receipts WHERE run = ? AND sum = ?', run, sum);
    return row === undefined ? undefined : toReceipt(row);
  }
}

function toReceipt(row: Row): Receipt {
  const text = (column: string) => String(row[column]);
  return {
    contribution: text('contribution'),
    run: text('run'),
    sum: Number(row['sum']),
    kind: text('kind') as SumKind,
    round: Number(row['round']),
    attempt: Number(row['attempt']),
    owedMs: Number(row['owed_ms']),
    needed: row['needed'] === null ? undefined : Number(row['needed']),
    stored:
      row['stored_ms'] === null
        ? undefined
        : {
            atMs: Number(row['stored_ms']),
            contributionProof: text('contribution_proof'),
            freezeProof: text('freeze_proof'),
            freeze: text('freeze'),
            policy: text('policy'),
          },
  };
}
