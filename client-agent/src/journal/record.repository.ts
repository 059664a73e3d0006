import type { Identity } from '@coferment/crypto';
import { AgentError } from '../agent.error.js';
import type { JournalDatabase } from './journal.database.js';
import { BEFORE_THE_FIRST, hashOf, lineOf, type RecordEntry, type RecordFact, type RecordKind, type RecordLine } from './record.entry.js';
import { type RecordHead, signHead } from './record.head.js';
import { isSignedAtOnce, UNSIGNED_AT_MOST } from './record.signing.js';

/**
 * The site's own record (see record.entry). Entries are written in the transaction of the change that they are about, so none is ever about something that
 * did not happen, and nothing happens without one. Triggers refuse to change or delete a line.
 */
export class RecordRepository {
  constructor(
    private readonly database: JournalDatabase,
    /** Undefined for commands that open the journal without the keys. */
    private readonly identity: Identity | undefined,
    private readonly now: () => number,
  ) {}

  /** @param time of the rows that the entry is about, in ms */
  append(fact: RecordFact, time = this.now()): void {
    this.database.transaction(() => {
      const { seq } = appendLine(this.database, fact, time);
      if (this.identity !== undefined && (isSignedAtOnce(fact) || seq - this.#signedUpTo() >= UNSIGNED_AT_MOST))
        this.#sign(this.identity, time);
    });
  }

  /** Appends what differs from the last entry of its kind, or is the first. True when it did. */
  note(fact: RecordFact): boolean {
    return this.database.transaction(() => {
      const last = this.latest(fact.kind);
      const same = last !== undefined && Object.entries(fact).every(([key, value]) => last[key] === value);
      if (!same) this.append(fact);
      return !same;
    });
  }

  /** The fields of the last entry of a kind. */
  latest(kind: RecordKind): Record<string, unknown> | undefined {
    const row = this.database.get("SELECT line FROM record WHERE json_extract(line, '$.kind') = ? ORDER BY seq DESC LIMIT 1", kind);
    return row === undefined ? undefined : (JSON.parse(String(row['line'])) as Record<string, unknown>);
  }

  /** Whether the keys of this epoch, or of the whole run, stand in the record as erased. */
  saysErased(run: string, epoch: number | null): boolean {
    return (
      this.database.get(
        `SELECT 1 FROM record WHERE json_extract(line, '$.kind') = 'keys-erased' AND json_extract(line, '$.run') = ?1
         AND (json_extract(line, '$.epoch') IS NULL OR json_extract(line, '$.epoch') = ?2)`,
        run,
        epoch,
      ) !== undefined
    );
  }

  latestLine(): RecordEntry | undefined {
    const row = this.database.get('SELECT line FROM record ORDER BY seq DESC LIMIT 1');
    return row === undefined ? undefined : (JSON.parse(String(row['line'])) as RecordEntry);
  }

  lines(after = 0): RecordLine[] {
    return this.database.all('SELECT seq, line, hash FROM record WHERE seq > ? ORDER BY seq', after).map(toLine);
  }

  heads(): RecordHead[] {
    return this.database.all('SELECT * FROM record_heads ORDER BY head').map(toHead);
  }

  #signedUpTo(): number {
    return Number(this.database.get('SELECT MAX(seq) AS seq FROM record_heads')?.['seq'] ?? 0);
  }

  /** Signs all that stands in the record now, for a copy that is handed on. @throws AgentError when the journal was opened without the keys */
  signHead(): void {
    const { identity } = this;
    if (identity === undefined) throw new AgentError('wrong-passphrase', 'The record can only be signed with the keys of this site.');
    this.database.transaction(() => {
      const isSigned = this.latestLine()?.kind === 'head-signed';
      if (!isSigned) this.#sign(identity, this.now());
    });
  }

  #sign(identity: Identity, time: number): void {
    const { seq, hash } = lastLine(this.database);
    const number = Number(this.database.get('SELECT MAX(head) AS head FROM record_heads')?.['head'] ?? 0) + 1;
    const { head, signature } = signHead({ head: number, seq, hash, time }, identity);
    this.database.run(
      'INSERT INTO record_heads (head, seq, hash, signed_ms, signature) VALUES (?, ?, ?, ?, ?)',
      head,
      seq,
      hash,
      time,
      signature,
    );
    appendLine(this.database, { kind: 'head-signed', head }, time);
  }
}

/** Only inside a transaction: two processes write into one journal. */
export function appendLine(database: Pick<JournalDatabase, 'get' | 'run'>, fact: RecordFact, time: number): RecordLine {
  const last = lastLine(database);
  const seq = last.seq + 1;
  const line = lineOf(fact, { seq, time, previous: last.hash });
  const hash = hashOf(last.hash, line);
  database.run('INSERT INTO record (seq, line, hash) VALUES (?, ?, ?)', seq, line, hash);
  return { seq, line, hash };
}

function lastLine(database: Pick<JournalDatabase, 'get'>): { seq: number; hash: string } {
  const row = database.get('SELECT seq, hash FROM record ORDER BY seq DESC LIMIT 1');
  return row === undefined ? { seq: 0, hash: BEFORE_THE_FIRST } : { seq: Number(row['seq']), hash: String(row['hash']) };
}

export function toLine(row: Record<string, unknown>): RecordLine {
  return { seq: Number(row['seq']), line: String(row['line']), hash: String(row['hash']) };
}

export function toHead(row: Record<string, unknown>): RecordHead {
  return {
    head: Number(row['head']),
    seq: Number(row['seq']),
    hash: String(row['hash']),
    time: Number(row['signed_ms']),
    signature: String(row['signature']),
  };
}
