import { digest } from '@coferment/crypto';
import type { JournalDatabase } from './journal.database.js';
import type { RecordRepository } from './record.repository.js';

export interface Refusal {
  run: string;
  subject: string;
  code: string;
  message: string;
  atMs: number;
}

/** The rule that fired, and why, as far as the operator may know. */
export interface RefusalTelling {
  rule: string;
  reason: string;
}

export interface Wait {
  run: string;
  subject: string;
  reason: string;
  whatToDo: string;
  sinceMs: number;
}

export interface SentObject {
  name: string;
  run: string;
  bytes: number;
  digest: string;
  atMs: number;
  /** `accepted`, `unanswered`, or the code of the failure: the bytes may have arrived all the same. */
  outcome: string;
}

export interface ConnectionState {
  state: 'connected' | 'disconnected';
  detail: string;
  changedMs: number;
}

/**
 * Refusals of one code that are written down within a day. Each is for good, and whoever sends instructions makes as many of them as they like. Counted by
 * code, so that a flood of one kind hides no refusal of another.
 */
export const MOST_REFUSALS_A_DAY = 100;
const DAY_MS = 86_400_000;
const NO_MORE = `(This site has refused ${MOST_REFUSALS_A_DAY} times for this reason within a day. More of it is refused and, for now, not written down.)`;

/** What `status` shows: what left the site, what was refused and why, what this side waits for. */
export class ActivityRepository {
  constructor(
    private readonly database: JournalDatabase,
    private readonly record: RecordRepository,
    private readonly now: () => number,
  ) {}

  /**
   * True when this refusal is new, and written down.
   * @param telling what the operator is told of it; nothing without
   */
  refuse(run: string, subject: string, code: string, message: string, telling?: RefusalTelling): boolean {
    return this.database.transaction(() => {
      if (this.#isRefused(run, subject, message)) return false;
      const last = MOST_REFUSALS_A_DAY - this.#refusedSince(code, this.now() - DAY_MS);
      if (last > 1) this.#addRefusal(run, subject, code, message, telling);
      if (last === 1) this.#addRefusal(run, subject, code, `${message} ${NO_MORE}`, telling);
      return last > 0;
    });
  }

  #addRefusal(run: string, subject: string, code: string, message: string, telling: RefusalTelling | undefined): void {
    const time = this.now();
    const inserted = this.database.get(
      'INSERT INTO refusals (run, subject, code, message, refused_ms, rule, reason, told) VALUES (?, ?, ?, ?, ?, ?, ?, ?) RETURNING id',
      run,
      subject,
      code,
      message,
      time,
      telling?.rule ?? '',
      telling?.reason ?? '',
      telling === undefined ? 1 : 0,
    );
    const row = Number(inserted?.['id']);
    this.record.append({ kind: 'instruction-refused', row, run, subject, code, message, telling: telling ?? null }, time);
  }

  #isRefused(run: string, subject: string, message: string): boolean {
    const same = 'SELECT 1 FROM refusals WHERE run = ? AND subject = ? AND message IN (?, ?)';
    return this.database.get(same, run, subject, message, `${message} ${NO_MORE}`) !== undefined;
  }

  #refusedSince(code: string, sinceMs: number): number {
    return Number(
      this.database.get('SELECT COUNT(*) AS refused FROM refusals WHERE code = ? AND refused_ms > ?', code, sinceMs)?.['refused'],
    );
  }

  /** Refusals that the operator has not been told of yet, oldest first. */
  untoldRefusals(): (RefusalTelling & { id: number; run: string; subject: string })[] {
    return this.database.all('SELECT id, run, subject, rule, reason FROM refusals WHERE told = 0 ORDER BY id').map((row) => ({
      id: Number(row['id']),
      run: String(row['run']),
      subject: String(row['subject']),
      rule: String(row['rule']),
      reason: String(row['reason']),
    }));
  }

  noteRefusalTold(id: number): void {
    this.database.transaction(() => {
      const told = this.database.run('UPDATE refusals SET told = 1 WHERE id = ? AND told = 0', id);
      if (told > 0) this.record.append({ kind: 'refusal-told', row: id });
    });
  }

  refusals(limit: number): Refusal[] {
    return this.database.all('SELECT * FROM refusals ORDER BY id DESC LIMIT ?', limit).map((row) => ({
      run: String(row['run']),
      subject: String(row['subject']),
      code: String(row['code']),
      message: String(row['message']),
      atMs: Number(row['refused_ms']),
    }));
  }

  /** True when this side did not wait for the same thing already. */
  wait(run: string, subject: string, reason: string, whatToDo: string): boolean {
    const before = this.database.get('SELECT reason FROM waits WHERE run = ? AND subject = ?', run, subject);
    if (before?.['reason'] === reason) return false;
    const time = this.now();
    this.database.transaction(() => {
      this.database.run(
        'INSERT OR REPLACE INTO waits (run, subject, reason, what_to_do, since_ms) VALUES (?, ?, ?, ?, ?)',
        run,
        subject,
        reason,
        whatToDo,
        time,
      );
      this.record.append({ kind: 'waiting', run, subject, reason, whatToDo }, time);
    });
    return true;
  }

  stopWaiting(run: string, subject: string): void {
    // Nearly always there is nothing to stop: a look costs no write.
    if (this.database.get('SELECT 1 FROM waits WHERE run = ? AND subject = ?', run, subject) === undefined) return;
    this.database.transaction(() => {
      const stopped = this.database.run('DELETE FROM waits WHERE run = ? AND subject = ?', run, subject);
      if (stopped > 0) this.record.append({ kind: 'no-longer-waiting', run, subject });
    });
  }

  waits(): Wait[] {
    return this.database.all('SELECT * FROM waits ORDER BY since_ms').map((row) => ({
      run: String(row['run']),
      subject: String(row['subject']),
      reason: String(row['reason']),
      whatToDo: String(row['what_to_do']),
      sinceMs: Number(row['since_ms']),
    }));
  }

  /** Must return before the first byte goes out. The same bytes that were not accepted before are one entry, however often they are tried. */
  sending(entry: Omit<SentObject, 'atMs' | 'outcome'>): { id: number; isNew: boolean } {
    const { name, run, bytes, digest: content } = entry;
    const time = this.now();
    return this.database.transaction(() => {
      const tried = this.database.get(
        "SELECT id FROM sent WHERE name = ? AND run = ? AND digest = ? AND outcome <> 'accepted' ORDER BY id DESC LIMIT 1",
        name,
        run,
        content,
      );
      if (tried !== undefined) return { id: Number(tried['id']), isNew: false };
      const inserted = this.database.get(
        "INSERT INTO sent (name, run, bytes, digest, sent_ms, outcome) VALUES (?, ?, ?, ?, ?, 'unanswered') RETURNING id",
        name,
        run,
        bytes,
        content,
        time,
      );
      const row = Number(inserted?.['id']);
      this.record.append({ kind: 'sending', row, run, name, bytes, digest: content }, time);
      return { id: row, isNew: true };
    });
  }

  noteOutcome(id: number, outcome: string): void {
    this.database.transaction(() => {
      const changed = this.database.run('UPDATE sent SET outcome = ?1 WHERE id = ?2 AND outcome <> ?1', outcome, id);
      if (changed > 0) this.record.append({ kind: 'answered', row: id, outcome });
    });
  }

  recentlySent(limit: number): SentObject[] {
    return this.database.all('SELECT * FROM sent ORDER BY id DESC LIMIT ?', limit).map((row) => ({
      name: String(row['name']),
      run: String(row['run']),
      bytes: Number(row['bytes']),
      digest: String(row['digest']),
      atMs: Number(row['sent_ms']),
      outcome: String(row['outcome']),
    }));
  }

  sentTotals(): { name: string; objects: number; bytes: number }[] {
    return this.database
      .all('SELECT name, COUNT(*) AS objects, SUM(bytes) AS bytes FROM sent GROUP BY name ORDER BY name')
      .map((row) => ({ name: String(row['name']), objects: Number(row['objects']), bytes: Number(row['bytes']) }));
  }

  /** Keeps the coordinator's view of a run, for people only: nothing is decided by it. */
  see(run: string, view: unknown): void {
    const [text, time] = [JSON.stringify(view), this.now()];
    this.database.run(
      'INSERT OR REPLACE INTO views (run, view, seen_ms, checksum) VALUES (?, ?, ?, ?)',
      run,
      text,
      time,
      viewChecksum(run, text, time),
    );
  }

  view(run: string): { view: unknown; seenMs: number } | undefined {
    const row = this.database.get('SELECT view, seen_ms FROM views WHERE run = ?', run);
    return row === undefined ? undefined : { view: JSON.parse(String(row['view'])), seenMs: Number(row['seen_ms']) };
  }

  connection(state: ConnectionState['state'], detail: string): void {
    const time = this.now();
    this.database.transaction(() => {
      this.database.run('INSERT OR REPLACE INTO connection (id, state, detail, changed_ms) VALUES (1, ?, ?, ?)', state, detail, time);
      this.record.append({ kind: 'connection', state, detail }, time);
    });
  }

  connectionState(): ConnectionState | undefined {
    const row = this.database.get('SELECT * FROM connection WHERE id = 1');
    if (row === undefined) return undefined;
    return { state: String(row['state']) as ConnectionState['state'], detail: String(row['detail']), changedMs: Number(row['changed_ms']) };
  }
}

/** Views change with every poll, so they have no entries; this finds a damaged one, and not one that somebody has made up. */
export function viewChecksum(run: string, view: string, seenMs: number): string {
  return digest('journal-view', run, view, seenMs);
}
