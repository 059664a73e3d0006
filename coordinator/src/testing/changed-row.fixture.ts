import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseVkey, policyOfLogKey, readFolder, verifyExport } from '@coferment/ledger';
import { exportLedger } from '../cli/ledger.export.js';
import { Database } from '../persistence/database.js';
import { readCheckpoint } from '../publication/checkpoint.file.js';
import { checkLedger } from '../publication/ledger.check.js';
import { LedgerRepository } from '../publication/ledger.repository.js';
import { TileRepository } from '../publication/tile.repository.js';
import type { TestCoordinator } from './coordinator.fixture.js';

interface ChangedRow {
  what: string;
  change: string;
  /** What is told to whoever exports the ledger from the running coordinator and verifies it. */
  auditor: RegExp;
  /** What the operator's check of the stopped coordinator says. */
  operator: RegExp;
}

const changeOf = (column: string) =>
  `UPDATE ledger_entry SET ${column} = set_byte(${column}, 40, get_byte(${column}, 40) # 1) WHERE index = 17`;
const [FIRST, LAST] = [17, 20];

export const CHANGED_ROWS: readonly ChangedRow[] = [
  { what: 'a changed entry', change: changeOf('entry'), auditor: /Entry 17 is not the one/, operator: /^Entry 17: / },
  {
    what: 'a changed statement',
    change: changeOf('payload'),
    auditor: /statement of entry 17 came as other bytes/,
    operator: /^Entry 17: the payload hashes to/,
  },
  {
    what: 'two swapped entries',
    change: `UPDATE ledger_entry SET index = -1 WHERE index = 17; UPDATE ledger_entry SET index = 17 WHERE index = 20;
             UPDATE ledger_entry SET index = 20 WHERE index = -1`,
    auditor: /Entry 17 is not the one/,
    operator: /^Entries 0 to \d+ are not as they were published, or not in that order/,
  },
  {
    what: 'a deleted entry',
    change: 'DELETE FROM ledger_entry WHERE index = 17',
    auditor: /^Entry 17 is missing from the database/,
    operator: /^Entry 17 is missing/,
  },
];

/** Changes rows under a running coordinator, hears the auditor and the operator's check, and puts the rows back. */
export async function withChangedRow(coordinator: TestCoordinator, change: string): Promise<{ auditor: string; operator: string }> {
  const database = coordinator.running.context.get(Database);
  const query = (statement: string) => database.transaction((manager) => manager.query(statement));
  const published = readCheckpoint(join(coordinator.folder, 'checkpoint'), coordinator.running.facts.logVkey);
  await query(`CREATE TABLE kept AS SELECT * FROM ledger_entry WHERE index BETWEEN ${FIRST} AND ${LAST}`);
  try {
    await query(change);
    const { problems } = await checkLedger({ database, entries: new LedgerRepository(), tiles: new TileRepository() }, published);
    return { auditor: await verdictOn(coordinator), operator: problems.join('\n') };
  } finally {
    await query(
      `DELETE FROM ledger_entry WHERE index BETWEEN ${FIRST} AND ${LAST}; INSERT INTO ledger_entry SELECT * FROM kept; DROP TABLE kept`,
    );
  }
}

async function verdictOn(coordinator: TestCoordinator): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'changed-row-'));
  try {
    const { logVkey } = await exportLedger(coordinator.operator, folder);
    const { verdict, checks } = await verifyExport(readFolder(folder), { policy: policyOfLogKey(parseVkey(logVkey)) });
    return `${verdict}: ${JSON.stringify(checks.flatMap(({ problems }) => problems))}`;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  } finally {
    rmSync(folder, { recursive: true });
  }
}
