import { existsSync } from 'node:fs';
import { DatabaseSync, type SQLInputValue, type SQLOutputValue } from 'node:sqlite';
import { AgentError } from '../agent.error.js';
import { privateFile } from '../keys/private.file.js';
import { migrations } from './journal.schema.js';

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
  static open(path: string): JournalDatabase {
    // SQLite gives the -wal and -shm files the rights that the database has when they are made.
    for (const file of [path, `${path}-wal`, `${path}-shm`]) if (file === path || existsSync(file)) privateFile(file);
    const database = new DatabaseSync(path, { timeout: 10_000 });
    try {
      database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON; PRAGMA secure_delete = ON');
      migrate(database);
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
      this.#database.exec('ROLLBACK');
      throw error;
    }
  }
}

function migrate(database: DatabaseSync): void {
  const version = Number(database.prepare('PRAGMA user_version').get()?.['user_version'] ?? 0);
  if (version > migrations.length) {
    throw new AgentError(
      'journal-version',
      `The journal has version ${version}; this agent knows versions up to ${migrations.length}. Install the newer agent again.`,
    );
  }
  migrations.slice(version).forEach((sql, index) => {
    database.exec(`BEGIN IMMEDIATE; ${sql}; PRAGMA user_version = ${version + index + 1}; COMMIT`);
  });
  // What a migration took out of the tables must not stay behind in the log.
  if (version < migrations.length) emptyLog(database);
}

function emptyLog(database: DatabaseSync): void {
  database.exec('PRAGMA wal_checkpoint(TRUNCATE)');
}
