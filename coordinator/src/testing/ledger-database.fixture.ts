import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Identity, generateIdentity, loadCrypto, signEnvelope } from '@coferment/crypto';
import { MerkleTree, leafHash } from '@coferment/ledger';
import type { DataSource } from 'typeorm';
import { openDataSource } from '../persistence/data-source.factory.js';
import { Database } from '../persistence/database.js';
import { startEmbeddedPostgres } from '../persistence/embedded.postgres.js';
import { LedgerLog, type SignedEntry } from '../publication/ledger.log.js';
import { LedgerRepository } from '../publication/ledger.repository.js';
import { TileRepository } from '../publication/tile.repository.js';
import { ServerDatabase } from './server-database.fixture.js';

/** The tables of the ledger in a real database, without a coordinator around them. */
export class LedgerDatabase {
  readonly folder = mkdtempSync(join(tmpdir(), 'ledger-'));
  readonly entries = new LedgerRepository();
  readonly tiles = new TileRepository();

  private constructor(
    readonly source: DataSource,
    readonly database: Database,
    readonly identity: Identity,
    private readonly drop: () => Promise<void>,
  ) {}

  static async open(): Promise<LedgerDatabase> {
    await loadCrypto();
    const server = process.env['DATABASE_URL'];
    if (server) {
      const own = new ServerDatabase(server);
      await own.create();
      const source = await openDataSource({ url: own.url });
      return new LedgerDatabase(source, new Database(source, async () => {}), generateIdentity(), () => own.drop());
    }
    const embedded = await startEmbeddedPostgres('memory://');
    const source = await openDataSource(embedded);
    return new LedgerDatabase(source, new Database(source, () => embedded.stop()), generateIdentity(), async () => {});
  }

  async remove(): Promise<void> {
    await this.database.close();
    await this.drop();
    rmSync(this.folder, { recursive: true, force: true });
  }

  /** What a process that starts now has. */
  log(): LedgerLog {
    return new LedgerLog(this.database, this.entries, this.tiles);
  }

  async clear(): Promise<void> {
    await this.source.query('TRUNCATE ledger_entry, ledger_tile');
    await this.source.query('UPDATE ledger_head SET size = 0');
  }

  /** Appends entries that nobody signed, which the tree does not mind. */
  fill(count: number): Promise<number> {
    const entries = Array.from({ length: count }, () => Buffer.from(`entry ${this.#filled++}`));
    return this.database.transaction((manager) =>
      this.entries.append(
        manager,
        entries.map((entry) => ({ entry, payload: entry })),
      ),
    );
  }

  #filled = 0;

  /** A signed statement. What it says does not matter to the log. */
  act(text: string): SignedEntry {
    return { envelope: signEnvelope(Buffer.from(JSON.stringify({ act: text })), this.identity), publicKey: this.identity.publicKey };
  }

  /** The tree of what is in the database, made by the code that keeps all of it in memory. */
  async tree(): Promise<MerkleTree> {
    const rows = (await this.source.query('SELECT entry FROM ledger_entry ORDER BY index')) as { entry: Buffer }[];
    return new MerkleTree(rows.map(({ entry }) => leafHash(entry)));
  }
}
