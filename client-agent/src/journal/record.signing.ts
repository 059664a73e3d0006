import type { Finding } from './record.chain.js';
import type { RecordEntry, RecordFact, RecordKind } from './record.entry.js';

/** After these the agent signs the head at once: a power cut or a thief then cannot make them unsaid. */
const SIGNED_AT_ONCE: ReadonlySet<RecordKind> = new Set(['joined', 'agent-started', 'agent-stopped', 'run-state', 'membership-left']);
/** Entries that may follow a signed head before the next one. */
export const UNSIGNED_AT_MOST = 200;

/** Entries that only a process which has opened the keys of the site can make. */
const MADE_WITH_KEYS: ReadonlySet<RecordKind> = new Set([
  'joined',
  'membership-left',
  'agent-started',
  'agent-stopped',
  'signed',
  'trained',
  'encrypting',
  'step',
  'checkpoint-cosigned',
]);

export function isSignedAtOnce(fact: RecordFact): boolean {
  return SIGNED_AT_ONCE.has(fact.kind) || (fact.kind === 'step' && fact.state === 'applied');
}

/**
 * Where the agent signs a head, one must be: otherwise whoever can write the file, and not open the keys, could write the whole record anew without any.
 * @param lastIsNoted false for a copy that ends with the entry that the last head is of
 */
export function checkSigning(entries: readonly RecordEntry[], { lastIsNoted } = { lastIsNoted: true }): Finding[] {
  let signed = 0;
  for (const [index, entry] of entries.entries()) {
    if (entry.kind === 'head-signed') signed = index;
    if (!MADE_WITH_KEYS.has(entry.kind)) continue;
    const where = `entry ${entry.seq} of the record`;
    const isDue = isSignedAtOnce(entry) || entry.seq - signed >= UNSIGNED_AT_MOST;
    const next = entries[index + 1];
    if (isDue && next?.kind !== 'head-signed' && (lastIsNoted || next !== undefined))
      return [{ where, problem: 'the agent signs a head after it, and none is noted: the record was written anew without them' }];
    if (!isDue && signed === 0)
      return [{ where, problem: 'no signed head comes before it, and it takes the keys of the site: the record was written anew' }];
  }
  return [];
}
