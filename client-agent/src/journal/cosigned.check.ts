import { bytesToHex } from '@coferment/crypto';
import { parseCheckpoint, parseNote } from '@coferment/ledger';
import { cosignedChecksum } from './cosigned.repository.js';
import type { JournalDatabase } from './journal.database.js';
import type { Finding } from './record.chain.js';
import type { RecordEntry } from './record.entry.js';

/** The row of the last cosigned checkpoint: whole, and not older than what the record has of it. */
export function checkCosigned(database: JournalDatabase, entries: readonly RecordEntry[]): Finding[] {
  const finding = (problem: string): Finding[] => [{ where: 'the row of cosigned', problem }];
  const recorded = lastRecorded(entries);
  const [row, ...others] = database.all('SELECT * FROM cosigned ORDER BY id');
  if (others.length > 0) return finding('there are several; this site makes one');
  if (row === undefined) return recorded === undefined ? [] : finding('it is missing; the record knows nothing of that');
  const number = (column: string) => Number(row[column]);
  const note = String(row['note']);
  const checksum = cosignedChecksum({
    note,
    signedS: number('signed_s'),
    cosignatures: number('cosignatures'),
    bytes: number('bytes'),
    sent: number('sent'),
    recordedMs: number('recorded_ms'),
  });
  if (checksum !== row['checksum']) return finding('it does not have its checksum: it is damaged');
  if (recorded === undefined) return finding('the record knows nothing of it: it was put in');
  const { size, root } = parseCheckpoint(parseNote(note).text);
  const isOlder = size < recorded.size || (size === recorded.size && bytesToHex(root) !== recorded.root);
  return isOlder
    ? finding(
        `it is a checkpoint over ${size} entries; by the record this site has cosigned one over ${recorded.size} with the root ${recorded.root}`,
      )
    : [];
}

/** What a person has told the site to go on from counts as the last. */
function lastRecorded(entries: readonly RecordEntry[]): { size: bigint; root: string } | undefined {
  const last = entries.findLast(
    (entry) => entry.kind === 'checkpoint-cosigned' || (entry.kind === 'split-view-dismissed' && entry.goesOn !== null),
  );
  if (last?.kind === 'checkpoint-cosigned') return { size: BigInt(last.size), root: last.root };
  if (last?.kind === 'split-view-dismissed' && last.goesOn !== null) return { size: BigInt(last.goesOn.size), root: last.goesOn.root };
  return undefined;
}
