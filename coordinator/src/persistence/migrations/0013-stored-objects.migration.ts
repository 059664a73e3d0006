import type { MigrationInterface, QueryRunner } from 'typeorm';

/** With every upload the whole objects of its site in its run are counted. */
export class StoredObjects1700000000013 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query('CREATE INDEX object_of_site ON object (run, site, purpose)');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP INDEX object_of_site');
  }
}
