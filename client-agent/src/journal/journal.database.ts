import { existsSync } from 'node:fs';
import { DatabaseSync, type SQLInputValue, type SQLOutputValue } from 'node:sqlite';
import { AgentError } from '../agent.error.js';
import { privateFile } from '../keys/private.file.js';
import { migrations, RECORD_VERSION } from './journal.schema.js';
import { openRecord } from './record.opening.js';

/** One column value of a row as SQLite gives it. */
export type Row = Record<string, SQLOutputValue>;

/**
 * What must survive a power cut at any instant: counters, approvals, signatures, releases. WAL lets a person approve from a second
 * process while the agent serves; synchronous=FULL makes every commit durable before it returns.
 */
export class JournalDatabase {
  readonly #database: DatabaseSync;

  private constructor(database: DatabaseSync) {
    this.#database = database;
  }

  /** @throws AgentError 'journal-damaged' or 'journal-version' */
  static open(path: string, now: () => number = Date.now): JournalDatabase {
    // SQLite gives the -wal and -shm files the rights that the database has when they are made.
    for (const file of [path, `${path}-wal`, `${path}-shm`]) if (file === path || existsSync(file)) privateFile(file);
    const database = new DatabaseSync(path, { timeout: 10_000 });
    try {
      database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON; PRAGMA secure_delete = ON');
      migrate(database, now);
    } catch (error) {
      database.close();
      if (error instanceof AgentError) throw error;
      throw new AgentError(
        'journal-damaged',
        `The journal ${path} cannot be read (${(error as Error).message}). Restore this folder from its backup.`,
      );
    }
    return new JournalDatabase(database);
  }

  /**
   * For checks: one unchanging view of the journal as it is, also while an agent writes into it. Nothing is migrated, and nothing can be written.
   * @throws AgentError 'journal-damaged' or 'missing-file'
   */
  static inspect(path: string): JournalDatabase {
    if (!existsSync(path)) throw new AgentError('missing-file', `There is no journal at ${path}. Check the data folder.`);
    const database = new DatabaseSync(path, { timeout: 10_000, readOnly: true });
    try {
      database.exec('BEGIN');
      database.prepare('SELECT COUNT(*) FROM sqlite_schema').get();
    } catch (error) {
      database.close();
      throw new AgentError('journal-damaged', `The journal ${path} cannot be read: ${(error as Error).message}.`);
    }
    return new JournalDatabase(database);
  }

  /** Looks at an empty journal as this agent makes it, which is nowhere on the disk. */
  static ofThisAgent<T>(look: (database: JournalDatabase) => T): T {
    const database = new DatabaseSync(':memory:');
    try {
      migrate(database, () => 0);
      return look(new JournalDatabase(database));
    } finally {
      database.close();
    }
  }

  close(): void {
    this.#database.close();
  }

  /** A reader in another process can hold the log open: then it is emptied at the next start. Not inside a transaction. */
  emptyLog(): void {
    emptyLog(this.#database);
  }

  run(sql: string, ...values: SQLInputValue[]): number {
    return Number(this.#database.prepare(sql).run(...values).changes);
  }

  get(sql: string, ...values: SQLInputValue[]): Row | undefined {
    return this.#database.prepare(sql).get(...values);
  }

  all(sql: string, ...values: SQLInputValue[]): Row[] {
    return this.#database.prepare(sql).all(...values);
  }

  /** All of it or nothing. Calls may nest: the outermost one commits. */
  transaction<T>(work: () => T): T {
    if (this.#database.isTransaction) return work();
    this.#database.exec('BEGIN IMMEDIATE');
    try {
      const result = work();
      this.#database.exec('COMMIT');
      return result;
    } catch (error) {
      // A full disk has SQLite take it back by itself; what it says then is the cause, and must not be lost.
      if (this.#database.isTransaction) this.#database.exec('ROLLBACK');
      throw error;
    }
  }
}

function migrate(database: DatabaseSync, now: () => number): void {
  const before = versionOf(database);
  if (before > migrations.length) {
    throw new AgentError(
      'journal-version',
      `The journal has version ${before}; this agent knows versions up to ${migrations.length}. Install the newer agent again.`,
    );
  }
  for (let version = before + 1; version <= migrations.length; version++) {
    database.exec('BEGIN IMMEDIATE');
    try {
      // Another process may have been first: an agent that starts and a person who approves open one journal.
      if (versionOf(database) === version - 1) {
        database.exec(`${migrations[version - 1]}; PRAGMA user_version = ${version}`);
        if (version === RECORD_VERSION) openRecord(database, now());
      }
      database.exec('COMMIT');
    } catch (error) {
      if (database.isTransaction) database.exec('ROLLBACK');
      throw error;
    }
  }
  // What a migration took out of the tables must not stay behind in the log.
  if (before < migrations.length) emptyLog(database);
}

function versionOf(database: DatabaseSync): number {
  return Number(database.prepare('PRAGMA user_version').get()?.['user_version'] ?? 0);
}

function emptyLog(database: DatabaseSync): void {
  database.exec('PRAGMA wal_checkpoint(TRUNCATE)');
}
