import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { DataSource } from 'typeorm';
import { type DatabaseAddress, MIGRATIONS, connectDataSource } from '../persistence/data-source.factory.js';
import { startEmbeddedPostgres } from '../persistence/embedded.postgres.js';
import { ServerDatabase } from './server-database.fixture.js';

/** How many migrations the release before this one had: version 0.1.0 ended with 0006. */
export const MIGRATIONS_BEFORE = 6;

/** An empty database for the time of `work`: of its own on the server that DATABASE_URL names, else an embedded one. */
export async function withDatabase<T>(work: (address: DatabaseAddress) => Promise<T>): Promise<T> {
  if (process.env['DATABASE_URL']) {
    const database = new ServerDatabase(process.env['DATABASE_URL']);
    await database.create();
    try {
      return await work({ url: database.url });
    } finally {
      await database.drop();
    }
  }
  const folder = mkdtempSync(join(tmpdir(), 'database-'));
  const embedded = await startEmbeddedPostgres(folder);
  try {
    const { host, port } = embedded;
    return await work({ host, port });
  } finally {
    await embedded.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

/** One connection for the time of `work`, with the first so many migrations known. */
export async function connected<T>(address: DatabaseAddress, count: number, work: (source: DataSource) => Promise<T>): Promise<T> {
  const source = await connectDataSource(address, {}, MIGRATIONS.slice(0, count));
  try {
    return await work(source);
  } finally {
    await source.destroy();
  }
}

/** Takes migrations back, newest first, until only so many are left. */
export function backTo(address: DatabaseAddress, count: number): Promise<void> {
  return connected(address, MIGRATIONS.length, async (source) => {
    for (let made = MIGRATIONS.length; made > count; made--) await source.undoLastMigration();
  });
}

export interface Column {
  table: string;
  column: string;
  type: string;
  nullable: boolean;
  default: string | null;
}

/** Every column of every table, in order of names. */
export async function columnsOf(source: DataSource): Promise<Column[]> {
  return (await source.query(
    `SELECT table_name AS table, column_name AS column, data_type AS type, is_nullable = 'YES' AS nullable, column_default AS default
     FROM information_schema.columns WHERE table_schema = 'public' AND table_name <> 'migrations' ORDER BY table_name, column_name`,
  )) as Column[];
}

/** Rows by table, each as the text of its JSON, in an order that does not change. */
export async function rowsOf(source: DataSource, columns: readonly Column[]): Promise<Map<string, string[]>> {
  const rows = new Map<string, string[]>();
  for (const table of new Set(columns.map((column) => column.table))) {
    const names = columns.filter((column) => column.table === table).map(({ column }) => `"${column}"`);
    const found = (await source.query(
      `SELECT to_jsonb(shown)::text AS row FROM (SELECT ${names.join(', ')} FROM "${table}") AS shown ORDER BY 1`,
    )) as { row: string }[];
    rows.set(
      table,
      found.map(({ row }) => row),
    );
  }
  return rows;
}
