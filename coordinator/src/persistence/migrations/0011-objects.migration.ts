import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Of an object whose bytes were given up by the plan's retention, the row stays. */
export class Objects1700000000011 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query('ALTER TABLE object ADD COLUMN removed_ms bigint');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('ALTER TABLE object DROP COLUMN removed_ms');
  }
}
