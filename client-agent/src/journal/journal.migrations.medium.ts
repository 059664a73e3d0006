import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync, type SQLInputValue } from 'node:sqlite';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Journal } from './journal.js';
import { migrations } from './journal.schema.js';

/** How many migrations the journal of the release before this one had. */
const VERSION_BEFORE = 10;
/** What a row of that version has in each column that came later, by `table.column`. A new column without a line here fails. */
const LATER_COLUMNS: Readonly<Record<string, unknown>> = {};
/** Text that a CHECK of a table does not let be anything, by `table.column`. */
const ONE_OF: Readonly<Record<string, readonly string[]>> = {
  'plan_approvals.decision': ['approved', 'rejected', 'withdrawn'],
  'plan_approvals.decided_by': ['person', 'policy'],
  'runs.state': ['asked', 'approved', 'dead', 'closed'],
  'split_views.found_by': ['checkpoint', 'comparison', 'entries'],
};
/** Tables that hold one row. */
const SINGLE = new Set(['connection', 'cosigned', 'ledger_position', 'ledger_frontier']);
const ROWS = 4;

interface Column {
  name: string;
  type: string;
  notnull: number;
  pk: number;
}

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'journal-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const tablesOf = (database: DatabaseSync): string[] =>
  database
    .prepare(`SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY name`)
    .all()
    .map(({ name }) => String(name));
const columnsOf = (database: DatabaseSync, table: string): Column[] =>
  database.prepare(`PRAGMA table_info(${table})`).all() as unknown as Column[];

/** The journal of the release before, made by its own migrations, with rows in every table: every state, and values that are not there. */
function fillOldJournal(path: string): void {
  const database = new DatabaseSync(path);
  for (const migration of migrations.slice(0, VERSION_BEFORE)) database.exec(migration);
  for (const table of tablesOf(database)) {
    const columns = columnsOf(database, table);
    for (let row = 1; row <= (SINGLE.has(table) ? 1 : ROWS); row++) {
      const values = columns.map((column) => valueOf(table, column, row));
      database.prepare(`INSERT INTO ${table} VALUES (${columns.map(() => '?').join(', ')})`).run(...values);
    }
  }
  database.exec(`PRAGMA user_version = ${VERSION_BEFORE}`);
  database.close();
}

function valueOf(table: string, { name, type, notnull, pk }: Column, row: number): SQLInputValue {
  if (notnull === 0 && pk === 0 && row % 2 === 0) return null;
  const choices = ONE_OF[`${table}.${name}`];
  if (choices !== undefined) return choices[row % choices.length]!;
  switch (type) {
    case 'INTEGER':
      return row;
    case 'BLOB':
      return new Uint8Array([row, 0, 255]);
    case 'TEXT':
      return `${table}.${name} ${row}`;
    default:
      throw new Error(`A column of type ${type} is not filled yet.`);
  }
}

/** Rows by table, of these columns only, in the order in which they were written. */
function rowsOf(path: string, columns: ReadonlyMap<string, readonly string[]>): Map<string, unknown[]> {
  const database = new DatabaseSync(path, { readOnly: true });
  try {
    return new Map(
      [...columns].map(([table, names]) => [table, database.prepare(`SELECT ${names.join(', ')} FROM ${table} ORDER BY rowid`).all()]),
    );
  } finally {
    database.close();
  }
}

describe('a journal of the release before', () => {
  it('keeps every row of every table, and later columns have what they should have in old rows', () => {
    const path = join(folder, 'journal.sqlite');
    fillOldJournal(path);
    const old = new DatabaseSync(path, { readOnly: true });
    const columns = new Map(tablesOf(old).map((table) => [table, columnsOf(old, table).map(({ name }) => name)]));
    old.close();
    const before = rowsOf(path, columns);
    for (const [table, rows] of before) expect(rows.length, table).toBe(SINGLE.has(table) ? 1 : ROWS);

    Journal.open(path).close();

    expect(rowsOf(path, columns)).toEqual(before);
    const now = new DatabaseSync(path, { readOnly: true });
    try {
      expect(now.prepare('PRAGMA user_version').get()).toEqual({ user_version: migrations.length });
      for (const [table, names] of columns) {
        for (const { name } of columnsOf(now, table).filter((column) => !names.includes(column.name))) {
          expect(LATER_COLUMNS, 'what old rows have in a later column').toHaveProperty([`${table}.${name}`]);
          const expected = Array.from(before.get(table)!, () => ({ value: LATER_COLUMNS[`${table}.${name}`] }));
          expect(now.prepare(`SELECT ${name} AS value FROM ${table}`).all(), `${table}.${name}`).toEqual(expected);
        }
      }
    } finally {
      now.close();
    }
  });

  it('is brought up to date once: a second start writes nothing', () => {
    const path = join(folder, 'journal.sqlite');
    fillOldJournal(path);
    Journal.open(path).close();
    const everything = () => {
      const database = new DatabaseSync(path, { readOnly: true });
      const columns = new Map(tablesOf(database).map((table) => [table, columnsOf(database, table).map(({ name }) => name)]));
      database.close();
      return rowsOf(path, columns);
    };
    const first = everything();
    Journal.open(path).close();
    expect(everything()).toEqual(first);
  });
});
