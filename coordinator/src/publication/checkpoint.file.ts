import { existsSync, readFileSync } from 'node:fs';
import { type Checkpoint, openCheckpoint, parseVkey } from '@coferment/ledger';
import { CoordinatorError } from '../errors/index.js';
import { replaceFile } from '../identity/sealed.file.js';
import type { LedgerLog } from './ledger.log.js';

/**
 * Refuses to go on from a database that is older than what was published: appending to it would fork the log.
 * @throws CoordinatorError 'log-forked'
 */
export async function requireExtends(file: string, log: Pick<LedgerLog, 'size' | 'root'>, vkey: string): Promise<void> {
  if (!existsSync(file)) return;
  const published: Checkpoint = openCheckpoint(readFileSync(file, 'utf8'), [parseVkey(vkey)]);
  const kept = published.size <= log.size && Buffer.compare(await log.root(Number(published.size)), published.root) === 0;
  if (kept) return;
  throw new CoordinatorError(
    'log-forked',
    `The last published checkpoint has ${published.size} entries; the database has ${log.size} and does not extend it. ` +
      'It was restored from an older backup: restore a newer one. Going on would show members two different ledgers.',
  );
}

export function writeCheckpoint(file: string, note: string): void {
  replaceFile(file, note);
}
