import type { MigrationInterface, QueryRunner } from 'typeorm';

/** A run may be given a time before which it does not start. */
export class Control1700000000008 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query('ALTER TABLE run ADD COLUMN start_at_ms bigint');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('ALTER TABLE run DROP COLUMN start_at_ms');
  }
}
