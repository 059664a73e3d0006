import { openDatabaseAsItIs } from '../persistence/persistence.module.js';
import { readCheckpoint } from './checkpoint.file.js';
import { type CheckedLedger, checkLedger } from './ledger.check.js';
import { LedgerRepository } from './ledger.repository.js';
import { TileRepository } from './tile.repository.js';

/**
 * Checks the ledger of a coordinator that does not run, in the embedded database or on the server that DATABASE_URL names.
 * The caller holds the folder's lock.
 * @throws CoordinatorError 'folder-unusable' when the folder's database is not where it is looked for, or of an older version
 */
export async function checkStoredLedger(
  folder: string,
  checkpointFile: string,
  logVkey: string,
  progress: (read: number, size: number) => void,
): Promise<CheckedLedger> {
  const published = readCheckpoint(checkpointFile, logVkey);
  const databaseUrl = process.env['DATABASE_URL'];
  const database = await openDatabaseAsItIs({ folder, ...(databaseUrl ? { databaseUrl } : {}) });
  try {
    return await checkLedger({ database, entries: new LedgerRepository(), tiles: new TileRepository() }, published, progress);
  } finally {
    await database.close();
  }
}
