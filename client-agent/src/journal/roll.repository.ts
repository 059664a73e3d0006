import type { JournalDatabase } from './journal.database.js';
import type { RecordRepository } from './record.repository.js';
import { textDigest } from './record.tables.js';

export interface RollStatement {
  /** Zero-based position in the ledger. */
  entry: number;
  name: string;
  /** The signed in-toto statement, whose signature was verified when it was read. */
  statement: string;
}

/** Acts of the ledger that say who may cosign it, and how many must: few, so that they are kept word for word. */
export class RollRepository {
  constructor(
    private readonly database: JournalDatabase,
    private readonly record: RecordRepository,
  ) {}

  /** A page of the ledger that is read again adds nothing. */
  add({ entry, name, statement }: RollStatement): void {
    this.database.transaction(() => {
      const added = this.database.run(
        'INSERT OR IGNORE INTO roll_statements (entry, name, statement) VALUES (?, ?, ?)',
        entry,
        name,
        statement,
      );
      if (added > 0) this.record.append({ kind: 'roll-read', entry, name, statement: textDigest(statement) });
    });
  }

  /** Before the ledger is read from its beginning again. */
  clear(): void {
    this.database.transaction(() => {
      if (this.database.run('DELETE FROM roll_statements') > 0) this.record.append({ kind: 'roll-cleared' });
    });
  }

  /** In the order of the ledger. */
  all(): RollStatement[] {
    return this.database.all('SELECT entry, name, statement FROM roll_statements ORDER BY entry').map((row) => ({
      entry: Number(row['entry']),
      name: String(row['name']),
      statement: String(row['statement']),
    }));
  }
}
