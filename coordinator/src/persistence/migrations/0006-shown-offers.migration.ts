import type { MigrationInterface, QueryRunner } from 'typeorm';

/** A checkpoint that was published without its quorum stays published when a smaller one gets its own. */
export class ShownOffers1700000000006 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query('ALTER TABLE checkpoint_offer ADD COLUMN is_shown boolean NOT NULL DEFAULT false');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('ALTER TABLE checkpoint_offer DROP COLUMN is_shown');
  }
}
