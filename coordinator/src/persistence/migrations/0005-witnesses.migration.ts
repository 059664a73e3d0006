import type { MigrationInterface, QueryRunner } from 'typeorm';

const STATEMENTS = [
  // Of the few entries that say who may cosign, a copy, so that nobody reads the whole ledger for them.
  `CREATE TABLE witness_roll (index bigint PRIMARY KEY, payload bytea NOT NULL)`,
  `INSERT INTO witness_roll (index, payload)
    SELECT index, payload FROM ledger_entry
    WHERE convert_from(payload, 'UTF8') ~ '"predicateType":"urn:coferment:(charter|site-enrolled|site-revoked|site-left|witness-key):v1"'`,
  `CREATE TABLE checkpoint_offer (size bigint PRIMARY KEY, note text NOT NULL, began_ms bigint NOT NULL)`,
  `CREATE TABLE cosignature (
    size bigint NOT NULL REFERENCES checkpoint_offer ON DELETE CASCADE,
    vkey text NOT NULL,
    line text NOT NULL,
    sequence serial,
    PRIMARY KEY (size, vkey)
  )`,
];

/** Checkpoints are cosigned by witnesses before they count. */
export class Witnesses1700000000005 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    for (const statement of STATEMENTS) await runner.query(statement);
  }

  async down(runner: QueryRunner): Promise<void> {
    for (const table of ['cosignature', 'checkpoint_offer', 'witness_roll']) await runner.query(`DROP TABLE ${table}`);
  }
}
