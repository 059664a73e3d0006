import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Full hash tiles of the ledger (C2SP tlog-tiles), and statements found by their hash. A ledger from before gets its tiles at the next start. */
export class LedgerTiles1700000000004 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(
      'CREATE TABLE ledger_tile (level integer NOT NULL, index bigint NOT NULL, hashes bytea NOT NULL, PRIMARY KEY (level, index))',
    );
    // Hashes cannot be compressed; without this every write would try.
    await runner.query('ALTER TABLE ledger_tile ALTER COLUMN hashes SET STORAGE EXTERNAL');
    // On the expression: a column beside the payload could say something else than the payload does.
    await runner.query('CREATE INDEX ledger_entry_payload ON ledger_entry (sha256(payload))');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP INDEX ledger_entry_payload');
    await runner.query('DROP TABLE ledger_tile');
  }
}
