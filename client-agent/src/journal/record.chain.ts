import { BEFORE_THE_FIRST, hashOf, parseLine, type RecordEntry, type RecordLine } from './record.entry.js';
import { RecordError } from './record.error.js';
import { isSigned, type RecordHead } from './record.head.js';

/** Something that does not hold, and where: `entry 12`, `the table sent, row 4, column bytes`. */
export interface Finding {
  where: string;
  problem: string;
}

export interface ReadRecord {
  /** Those up to the first that does not hold. */
  entries: RecordEntry[];
  findings: Finding[];
}

/** Recomputes every hash from the first entry on. After an entry that does not hold nothing later can be placed, so reading ends there. */
export function readRecord(lines: Iterable<RecordLine>): ReadRecord {
  const entries: RecordEntry[] = [];
  let previous = BEFORE_THE_FIRST;
  for (const line of lines) {
    const seq = entries.length + 1;
    try {
      entries.push(readNext(line, { seq, previous }));
    } catch (error) {
      return { entries, findings: [{ where: `entry ${seq} of the record`, problem: (error as Error).message }] };
    }
    previous = line.hash;
  }
  const empty =
    entries.length === 0 ? [{ where: 'the record', problem: 'it is empty; every journal has at least the entry that opens it' }] : [];
  return { entries, findings: empty };
}

/** The entry of a line that is to stand here. @throws RecordError when it does not belong here, or is not what was written */
export function readNext({ seq, line, hash }: RecordLine, place: { seq: number; previous: string }): RecordEntry {
  if (seq !== place.seq) throw new RecordError(`it is missing; entry ${seq} stands in its place`);
  const entry = parseLine(line);
  if (entry.seq !== seq) throw new RecordError(`it says that it is entry ${entry.seq}`);
  if (entry.previous !== place.previous)
    throw new RecordError('it does not follow the entry before it: one was changed, taken out or put in');
  if (hashOf(place.previous, line) !== hash) throw new RecordError('its hash is not that of its line: one of them was changed');
  if ((entry.kind === 'opened') !== (seq === 1)) throw new RecordError('only the first entry opens a record');
  return entry;
}

/**
 * Every head is signed, names the entry that it was signed over, and is itself in the record; none is missing.
 * @param hashes of the entries, in order
 * @param identityKey of the site; undefined before it has joined, when there can be no head
 * @param lastIsNoted false for a copy that ends with the entry that the last head is of: the note of a head follows that entry
 */
export function checkHeads(
  heads: readonly RecordHead[],
  entries: readonly RecordEntry[],
  hashes: readonly string[],
  identityKey: Uint8Array | undefined,
  { lastIsNoted } = { lastIsNoted: true },
): Finding[] {
  const findings: Finding[] = [];
  heads.forEach((head, index) => {
    const where = `signed head ${index + 1}`;
    const problem = headProblem(head, index + 1, hashes, identityKey);
    if (problem !== undefined) findings.push({ where, problem });
  });
  const noted = entries.filter((entry) => entry.kind === 'head-signed');
  noted.forEach((entry, index) => {
    const at = heads[index]?.seq;
    if (entry.head !== index + 1)
      findings.push({ where: `entry ${entry.seq} of the record`, problem: `it notes head ${entry.head}, not ${index + 1}` });
    else if (at !== undefined && at !== entry.seq - 1)
      findings.push({ where: `signed head ${index + 1}`, problem: `it is of entry ${at}; the record says ${entry.seq - 1}` });
  });
  if (noted.length > heads.length)
    findings.push({ where: `signed head ${heads.length + 1}`, problem: `it is missing: the record notes ${noted.length} heads` });
  if (noted.length < (lastIsNoted ? heads.length : heads.length - 1))
    findings.push({
      where: `signed head ${noted.length + 1}`,
      problem: 'the record does not note it: its end was cut off, or the head was put in',
    });
  return findings;
}

function headProblem(head: RecordHead, number: number, hashes: readonly string[], identityKey: Uint8Array | undefined): string | undefined {
  if (head.head !== number) return `it is missing; head ${head.head} stands in its place`;
  if (identityKey === undefined) return 'the identity key of this site is not known, so its signature cannot be checked';
  if (!isSigned(head, identityKey)) return 'its signature does not verify under the identity key of this site';
  const hash = hashes[head.seq - 1];
  if (hash === undefined) return `it is signed over entry ${head.seq}, and the record ends at entry ${hashes.length}: its end was cut off`;
  if (hash !== head.hash) return `the hash of entry ${head.seq} is not the one that was signed: the record was rewritten`;
  return undefined;
}
