import { LedgerError, openCheckpoint, parseNote, parseVkey } from '@coferment/ledger';
import { CoordinatorError } from '../errors/index.js';
import { type Cosignature, LONGEST_NOTE } from './checkpoint.offer.js';

/** As between an agent's clock and the coordinator's. */
const MOST_AHEAD_MS = 300_000;

/** @throws CoordinatorError 'too-large', 'malformed' */
export function readNote(note: string): ReturnType<typeof parseNote> {
  if (note.length > LONGEST_NOTE)
    throw new CoordinatorError('too-large', `The checkpoint has ${note.length} characters; at most ${LONGEST_NOTE} are read.`);
  try {
    return parseNote(note);
  } catch (error) {
    if (!(error instanceof LedgerError)) throw error;
    throw new CoordinatorError('malformed', `The cosigned checkpoint cannot be read: ${error.message}`, { cause: error });
  }
}

/** Empty, and so that of no ledger, when the log's key has not signed this. */
export function rootOf(note: string, logVkey: string): Uint8Array {
  try {
    return openCheckpoint(note, [parseVkey(logVkey)]).root;
  } catch (error) {
    if (error instanceof LedgerError) return new Uint8Array();
    throw error;
  }
}

/** When a witness signed is shown to people, and its word alone stands for it. */
export function requireNotAhead({ key, time }: Cosignature, nowMs: number): void {
  // Seconds beyond what a date can hold make none, which is not before anything.
  if (time.getTime() <= nowMs + MOST_AHEAD_MS) return;
  throw new CoordinatorError(
    'clock-off',
    `The cosignature of ${key.name} is of a time to come. Set the clock of that machine right, and cosign again.`,
  );
}
