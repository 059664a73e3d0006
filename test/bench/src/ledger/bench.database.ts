import 'reflect-metadata';
import { openDatabase } from '../../../../coordinator/dist/persistence/persistence.module.js';
import type { Database } from '../../../../coordinator/dist/persistence/database.js';
import { LedgerLog } from '../../../../coordinator/dist/publication/ledger.log.js';
import { LedgerRepository } from '../../../../coordinator/dist/publication/ledger.repository.js';
import { TileRepository } from '../../../../coordinator/dist/publication/tile.repository.js';

/** The coordinator's ledger on its embedded database, in a folder. */
export interface BenchDatabase {
  database: Database;
  repository: LedgerRepository;
  /** What a coordinator that starts now has: nothing in memory. */
  open: () => LedgerLog;
}

export async function openBenchDatabase(folder: string): Promise<BenchDatabase> {
  const database = await openDatabase({ folder });
  const repository = new LedgerRepository();
  return { database, repository, open: () => new LedgerLog(database, repository, new TileRepository()) };
}
