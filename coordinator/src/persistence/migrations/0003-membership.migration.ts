import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Sites wait to be admitted, auditors are members too, authorities change, and approvals may have a deadline. */
export class Membership1700000000003 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(
      `ALTER TABLE site ADD COLUMN role text NOT NULL DEFAULT 'site', ADD COLUMN authorities integer NOT NULL DEFAULT 0,
       ADD COLUMN company text NOT NULL DEFAULT ''`,
    );
    await runner.query('ALTER TABLE invite ADD COLUMN pre_admitted boolean NOT NULL DEFAULT true');
    await runner.query(`ALTER TABLE run ADD COLUMN approve_by_ms bigint, ADD COLUMN not_approved jsonb NOT NULL DEFAULT '[]'`);
    await runner.query(
      `CREATE TABLE renewal (site text PRIMARY KEY, identity_key text NOT NULL, agent_time_ms bigint NOT NULL, previous_digest text NOT NULL,
       previous_until_ms bigint NOT NULL)`,
    );
    await runner.query('CREATE INDEX renewal_previous ON renewal (previous_digest)');
    await runner.query('CREATE TABLE authorities (sequence integer PRIMARY KEY, act jsonb NOT NULL)');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE authorities');
    await runner.query('DROP TABLE renewal');
    await runner.query('ALTER TABLE run DROP COLUMN not_approved, DROP COLUMN approve_by_ms');
    await runner.query('ALTER TABLE invite DROP COLUMN pre_admitted');
    await runner.query('ALTER TABLE site DROP COLUMN company, DROP COLUMN authorities, DROP COLUMN role');
  }
}
