import { randomBytes } from 'node:crypto';
import { canonicalBytes } from '@coferment/consortium';
import { digest } from '@coferment/crypto';
import type { DatabaseSync } from 'node:sqlite';
import type { RecordFact } from './record.entry.js';
import { appendLine } from './record.repository.js';
import { type CellRow, cellsOf, orderOf, recordedTables } from './record.tables.js';

/**
 * Opens the record of a journal: its first entry says how many rows each table held, and their digest, and each of these rows has an entry after it. About
 * them the record proves no more than that they were there when it was opened. In the transaction that makes the tables of the record.
 */
export function openRecord(database: DatabaseSync, time: number): void {
  // Later migrations make some of them.
  const isThere = database.prepare("SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = ?");
  const existing = recordedTables.filter((table) => isThere.get(table) !== undefined);
  const tables = existing.map((table) => ({
    table,
    held: database
      .prepare(`SELECT * FROM ${table} ORDER BY ${orderOf(table)}`)
      .all()
      .map((row) => cellsOf(table, row)),
  }));
  const journal = randomBytes(16).toString('hex');
  const opened = tables.map(({ table, held }) => ({ table, rows: held.length, digest: rowsDigest(table, held) }));
  const append = (fact: RecordFact) =>
    appendLine(
      {
        get: (sql, ...values) => database.prepare(sql).get(...values),
        run: (sql, ...values) => Number(database.prepare(sql).run(...values).changes),
      },
      fact,
      time,
    );
  append({ kind: 'opened', journal, tables: opened });
  for (const { table, held } of tables) for (const row of held) append({ kind: 'carried-over', table, row });
}

export function rowsDigest(table: string, rows: readonly CellRow[]): string {
  return digest(
    'journal-table',
    table,
    rows.map((row) => canonicalBytes(row)),
  );
}
