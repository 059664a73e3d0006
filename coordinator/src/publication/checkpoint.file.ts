import { existsSync, readFileSync } from 'node:fs';
import { type Checkpoint, openCheckpoint, parseVkey } from '@coferment/ledger';
import { CoordinatorError } from '../errors/index.js';
import { replaceFile } from '../identity/sealed.file.js';
import type { LedgerLog } from './ledger.log.js';

/**
 * Refuses to go on from a database that is older than what was published, or other: appending to it would fork the log.
 * @throws CoordinatorError 'log-forked'
 */
export async function requireExtends(file: string, log: Pick<LedgerLog, 'size' | 'root'>, vkey: string): Promise<void> {
  const published = readCheckpoint(file, vkey);
  if (published === undefined) return;
  if (published.size > log.size)
    throw new CoordinatorError(
      'log-forked',
      `The last published checkpoint has ${published.size} entries; the database has ${log.size} and does not extend it. ` +
        'It was restored from an older backup: restore a newer one. Going on would show members two different ledgers.',
    );
  if (Buffer.compare(await log.root(Number(published.size)), published.root) === 0) return;
  throw new CoordinatorError(
    'log-forked',
    `The first ${published.size} entries in the database are not those of the last published checkpoint: going on would show members two different ledgers. ` +
      'Either rows were changed: `coferment ledger check --data DIR` names them. Or an older backup was restored and went on: restore a newer one.',
  );
}

/** The last checkpoint that this coordinator published; undefined before the first. @throws LedgerError when it does not verify under the log's key */
export function readCheckpoint(file: string, vkey: string): Checkpoint | undefined {
  return existsSync(file) ? openCheckpoint(readFileSync(file, 'utf8'), [parseVkey(vkey)]) : undefined;
}

export function writeCheckpoint(file: string, note: string): void {
  replaceFile(file, note);
}
