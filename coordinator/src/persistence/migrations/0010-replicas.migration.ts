import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Tables whose changes others wait for, and of `site` only the columns that say who may call: when a site polls is nobody's news. */
const TOLD = [
  ['run', 'INSERT OR UPDATE'],
  ['site', 'INSERT OR DELETE OR UPDATE OF state, identity_key'],
  ['ledger_head', 'UPDATE'],
  ['checkpoint_offer', 'INSERT'],
  ['cosignature', 'INSERT'],
] as const;

const STATEMENTS = [
  // Who works on this database. Times are the database's own, in milliseconds.
  `CREATE TABLE replica (
    id text PRIMARY KEY,
    address text NOT NULL,
    started_ms bigint NOT NULL,
    seen_ms bigint NOT NULL,
    is_running boolean NOT NULL
  )`,
  // Work that one of them does for all.
  `CREATE TABLE lease (name text PRIMARY KEY, holder text NOT NULL, until_ms bigint NOT NULL)`,
  // Which object store the rows of "object" speak of.
  `CREATE TABLE object_store (id text PRIMARY KEY)`,
  // At which of them a site polled last.
  `ALTER TABLE site ADD COLUMN polled_at text NOT NULL DEFAULT ''`,
  // In the transaction of the change, so that a kill after the commit loses nothing; whose it was, so that nobody is woken twice.
  `CREATE FUNCTION coferment_changed() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      PERFORM pg_notify('coferment_changed', current_setting('application_name', true));
      RETURN NULL;
    END
  $$`,
  ...TOLD.map(
    ([table, events]) =>
      `CREATE TRIGGER ${table}_changed AFTER ${events} ON ${table} FOR EACH STATEMENT EXECUTE FUNCTION coferment_changed()`,
  ),
];

/** Several coordinators work on one database. */
export class Replicas1700000000010 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    for (const statement of STATEMENTS) await runner.query(statement);
  }

  async down(runner: QueryRunner): Promise<void> {
    for (const [table] of TOLD) await runner.query(`DROP TRIGGER ${table}_changed ON ${table}`);
    await runner.query('DROP FUNCTION coferment_changed');
    await runner.query('ALTER TABLE site DROP COLUMN polled_at');
    for (const table of ['object_store', 'lease', 'replica']) await runner.query(`DROP TABLE ${table}`);
  }
}
