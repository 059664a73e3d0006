import { bytesToHex, digest } from '@coferment/crypto';
import { type Checkpoint, parseCheckpoint, parseNote } from '@coferment/ledger';
import type { JournalDatabase } from './journal.database.js';
import type { RecordRepository } from './record.repository.js';

/** The last checkpoint that this site has cosigned, or that a person has told it to go on from. */
export interface Cosigned extends Checkpoint {
  /** The signed note, with the cosignature of this site as its last line if there is one. */
  note: string;
  /** Time of the newest cosignature, in whole seconds since 1970; 0 before the first. */
  signedS: number;
  /** How many cosignatures this site has made, and the bytes of their messages. */
  cosignatures: number;
  bytes: number;
  /** Whether the coordinator has answered. */
  isSent: boolean;
}

/** A cosignature is a signature of the site, but rounds make one every few seconds: the record has an entry for the first and then at most one in this time. */
export const RECORDED_EVERY_MS = 3_600_000;

/** What a witness must not forget (C2SP tlog-witness): one row, written before the cosignature leaves. */
export class CosignedRepository {
  constructor(
    private readonly database: JournalDatabase,
    private readonly record: RecordRepository,
    private readonly now: () => number,
  ) {}

  latest(): Cosigned | undefined {
    const row = this.database.get('SELECT * FROM cosigned');
    if (row === undefined) return undefined;
    const note = String(row['note']);
    return {
      ...parseCheckpoint(parseNote(note).text),
      note,
      signedS: Number(row['signed_s']),
      cosignatures: Number(row['cosignatures']),
      bytes: Number(row['bytes']),
      isSent: row['sent'] === 1,
    };
  }

  /**
   * Only inside a transaction that has compared the checkpoint with {@link latest}.
   * @param note ends with the cosignature
   * @returns whether the record has an entry about it
   */
  replace(note: string, signedS: number): boolean {
    const { size, root } = parseCheckpoint(parseNote(note).text);
    const [before, time] = [this.database.get('SELECT cosignatures, bytes, recorded_ms FROM cosigned'), this.now()];
    const cosignatures = Number(before?.['cosignatures'] ?? 0) + 1;
    const recordedMs = Number(before?.['recorded_ms'] ?? 0);
    const isDue = cosignatures === 1 || time - recordedMs >= RECORDED_EVERY_MS;
    if (isDue) this.record.append({ kind: 'checkpoint-cosigned', size: size.toString(), root: bytesToHex(root), cosignatures }, time);
    this.#put({
      note,
      signedS,
      cosignatures,
      bytes: Number(before?.['bytes'] ?? 0) + Buffer.byteLength(note),
      sent: 0,
      recordedMs: isDue ? time : recordedMs,
    });
    return isDue;
  }

  /** Takes another checkpoint as the last: a person has decided so. Only inside the transaction of that decision. */
  goOnFrom(note: string): void {
    const before = this.database.get('SELECT * FROM cosigned');
    this.#put({
      note,
      signedS: Number(before?.['signed_s'] ?? 0),
      cosignatures: Number(before?.['cosignatures'] ?? 0),
      bytes: Number(before?.['bytes'] ?? 0),
      // Without a cosignature there is nothing to send.
      sent: 1,
      recordedMs: Number(before?.['recorded_ms'] ?? 0),
    });
  }

  /** @param note that the coordinator has answered to; a newer one may stand there by now */
  noteSent(note: string): void {
    this.database.transaction(() => {
      const row = this.database.get('SELECT * FROM cosigned WHERE note = ? AND sent = 0', note);
      if (row === undefined) return;
      const [signedS, cosignatures, bytes, recordedMs] = ['signed_s', 'cosignatures', 'bytes', 'recorded_ms'].map((column) =>
        Number(row[column]),
      );
      this.#put({ note, signedS: signedS!, cosignatures: cosignatures!, bytes: bytes!, sent: 1, recordedMs: recordedMs! });
    });
  }

  #put({ note, signedS, cosignatures, bytes, sent, recordedMs }: CosignedRow): void {
    this.database.run(
      'INSERT OR REPLACE INTO cosigned (id, note, signed_s, cosignatures, bytes, sent, recorded_ms, checksum) VALUES (1, ?, ?, ?, ?, ?, ?, ?)',
      note,
      signedS,
      cosignatures,
      bytes,
      sent,
      recordedMs,
      cosignedChecksum({ note, signedS, cosignatures, bytes, sent, recordedMs }),
    );
  }
}

interface CosignedRow {
  note: string;
  signedS: number;
  cosignatures: number;
  bytes: number;
  sent: number;
  recordedMs: number;
}

/** Finds a damaged row, and not one that somebody has made up: for that the note has signatures. */
export function cosignedChecksum({ note, signedS, cosignatures, bytes, sent, recordedMs }: CosignedRow): string {
  return digest('journal-cosigned', note, signedS, cosignatures, bytes, sent, recordedMs);
}
