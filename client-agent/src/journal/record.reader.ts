import { join } from 'node:path';
import { AgentError } from '../agent.error.js';
import { JournalDatabase } from './journal.database.js';
import type { RecordLine } from './record.entry.js';
import type { RecordHead } from './record.head.js';
import { toHead, toLine } from './record.repository.js';

/** The record of a data folder as it is now; an agent may be writing into it. @throws AgentError 'missing-file', 'journal-damaged' or 'journal-version' */
export function inspectRecord(folder: string): { lines: RecordLine[]; heads: RecordHead[] } {
  const database = JournalDatabase.inspect(join(folder, 'journal.sqlite'));
  try {
    if (database.get("SELECT 1 FROM sqlite_schema WHERE name = 'record'") === undefined) {
      throw new AgentError(
        'journal-version',
        `The journal in ${folder} is from before the record. Start this agent once; what stands in the journal then is taken over.`,
      );
    }
    return {
      lines: database.all('SELECT seq, line, hash FROM record ORDER BY seq').map(toLine),
      heads: database.all('SELECT * FROM record_heads ORDER BY head').map(toHead),
    };
  } finally {
    database.close();
  }
}
