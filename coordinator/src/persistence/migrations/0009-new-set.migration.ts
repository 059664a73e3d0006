import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Which approved proposal a sum's set comes from, where it is not the first one of its model. */
export class NewSet1700000000009 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query('ALTER TABLE round ADD COLUMN new_set text');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('ALTER TABLE round DROP COLUMN new_set');
  }
}
