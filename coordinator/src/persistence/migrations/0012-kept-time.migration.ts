import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Up to when a coordinator kept time: what passes while none does, or when a clock is set, takes nothing from a deadline. */
export class KeptTime1700000000012 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query('CREATE TABLE kept_time (one boolean PRIMARY KEY DEFAULT true CHECK (one), seen_ms bigint)');
    await runner.query('INSERT INTO kept_time DEFAULT VALUES');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE kept_time');
  }
}
