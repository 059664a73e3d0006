import { DEFAULT_LIMITS, limitsSchema } from '../../coordinator/src/limits/coordinator.limits.js';
import { Database } from '../../coordinator/src/persistence/database.js';
import type { TestCoordinator } from '../../coordinator/src/testing/coordinator.fixture.js';

/** The limits are tested elsewhere; here they would answer instead of what lies behind them. */
export const UNLIMITED = limitsSchema.parse(
  Object.fromEntries(
    Object.entries(DEFAULT_LIMITS).map(([part, limits]) => [
      part,
      Object.fromEntries(Object.keys(limits).map((name) => [name, name.startsWith('connections') ? 10_000 : 1_000_000])),
    ]),
  ),
);

/** Whether the database is as it was. */
export class StoredState {
  #transaction = '';
  #image = '';

  constructor(private readonly coordinator: TestCoordinator) {}

  /** A digest of every table, but for when, where and how long a site polls, and what coordinators write down by themselves. */
  image(): Promise<string> {
    return this.coordinator.running.context.get(Database).transaction(async (manager) => {
      const tables: { name: string }[] = await manager.query(
        `SELECT table_name AS name FROM information_schema.tables WHERE table_schema = 'public' AND table_name NOT IN ('kept_time', 'replica', 'lease') ORDER BY 1`,
      );
      const digests = tables.map(
        ({ name }) =>
          `SELECT '${name}' AS name, md5(coalesce(string_agg((to_jsonb(this_row) - 'last_poll_ms' - 'wait_ms' - 'polled_at')::text, ',' ORDER BY to_jsonb(this_row)::text), '')) AS digest FROM "${name}" this_row`,
      );
      const rows: { name: string; digest: string }[] = await manager.query(digests.join(' UNION ALL '));
      return rows.map(({ name, digest }) => `${name} ${digest}`).join('\n');
    });
  }

  /** What is now is what {@link hasChanged} compares with. */
  async remember(): Promise<void> {
    const transaction = await this.#newestTransaction();
    if (transaction === this.#transaction) return;
    this.#image = await this.image();
    this.#transaction = transaction;
  }

  async hasChanged(): Promise<boolean> {
    return (await this.#newestTransaction()) !== this.#transaction && (await this.image()) !== this.#image;
  }

  /** PostgreSQL numbers a transaction when it first writes, so without a new number nothing was written: far cheaper than an image. */
  #newestTransaction(): Promise<string> {
    return this.coordinator.running.context.get(Database).transaction(async (manager) => {
      const [row] = (await manager.query('SELECT pg_snapshot_xmax(pg_current_snapshot())::text AS newest')) as { newest: string }[];
      return row!.newest;
    });
  }
}
