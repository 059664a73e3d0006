import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Runs may have more than one key epoch, and a sum that went wrong in one is completed in another. */
export class KeyEpochs1700000000002 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query('ALTER TABLE epoch ADD COLUMN renewal jsonb');
    await runner.query('ALTER TABLE round ADD COLUMN fixed_set jsonb, ADD COLUMN failure jsonb');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('ALTER TABLE round DROP COLUMN fixed_set, DROP COLUMN failure');
    await runner.query('ALTER TABLE epoch DROP COLUMN renewal');
  }
}
