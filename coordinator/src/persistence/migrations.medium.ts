import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { TestCoordinator, workUntil } from '../testing/coordinator.fixture.js';
import { fillVersion010 } from '../testing/filled-database.fixture.js';
import { backTo, columnsOf, connected, MIGRATIONS_BEFORE, rowsOf, withDatabase } from '../testing/old-database.fixture.js';
import type { ScriptedSite } from '../testing/scripted-site.fixture.js';
import { type DatabaseAddress, MIGRATIONS, isMigrated, openDataSource } from './data-source.factory.js';
import { startEmbeddedPostgres } from './embedded.postgres.js';

/** What a row of version 0.1.0 has in each column that came later, by `table.column`. A new column without a line here fails. */
const LATER_COLUMNS: Readonly<Record<string, unknown>> = {
  'run.start_at_ms': null,
  'round.new_set': null,
  'site.polled_at': '',
  'object.removed_ms': null,
};
/** Tables that came later, with the rows that their migration puts into them. */
const LATER_TABLES: Readonly<Record<string, number>> = { kept_time: 1, replica: 0, lease: 0, object_store: 0 };

describe('a database of version 0.1.0', () => {
  it('has its last migration where this release begins to add', () => {
    expect(MIGRATIONS[MIGRATIONS_BEFORE - 1]?.name).toBe('ShownOffers1700000000006');
    expect(MIGRATIONS.length).toBeGreaterThan(MIGRATIONS_BEFORE);
  });

  it('keeps every value of every row, and later columns have what they should have in old rows', () =>
    withDatabase(async (address) => {
      const before = await connected(address, MIGRATIONS_BEFORE, async (source) => {
        await source.runMigrations();
        await fillVersion010(source);
        const columns = await columnsOf(source);
        return { columns, rows: await rowsOf(source, columns) };
      });
      for (const [table, rows] of before.rows) expect(rows.length, table).toBeGreaterThan(0);

      const source = await openDataSource(address);
      try {
        expect(await rowsOf(source, before.columns)).toEqual(before.rows);
        const known = new Set(before.columns.map(({ table, column }) => `${table}.${column}`));
        const after = await columnsOf(source);
        for (const { table, column } of after) {
          if (known.has(`${table}.${column}`)) continue;
          if (!before.rows.has(table)) {
            const [{ many } = {}] = (await source.query(`SELECT count(*)::int AS many FROM "${table}"`)) as { many: number }[];
            expect(many, `rows of ${table}`).toBe(LATER_TABLES[table]);
            continue;
          }
          expect(LATER_COLUMNS, 'what old rows have in a later column').toHaveProperty([`${table}.${column}`]);
          const values = (await source.query(`SELECT DISTINCT "${column}" AS value FROM "${table}"`)) as { value: unknown }[];
          expect(values, `${table}.${column}`).toEqual([{ value: LATER_COLUMNS[`${table}.${column}`] }]);
        }
        expect(await isMigrated(source)).toBe(true);
      } finally {
        await source.destroy();
      }
    }));

  it('is what taking the later migrations back leaves, rows and schema', () =>
    withDatabase(async (address) => {
      const look = () =>
        connected(address, MIGRATIONS_BEFORE, async (source) => {
          const columns = await columnsOf(source);
          return { columns, rows: await rowsOf(source, columns) };
        });
      await connected(address, MIGRATIONS_BEFORE, async (source) => {
        await source.runMigrations();
        await fillVersion010(source);
      });
      const before = await look();
      await (await openDataSource(address)).destroy();
      await backTo(address, MIGRATIONS_BEFORE);
      expect(await look()).toEqual(before);
    }));
});

describe('an empty database', () => {
  it('gets all migrations once, and a second start changes nothing', () =>
    withDatabase(async (address) => {
      const look = async () => {
        const source = await openDataSource(address);
        try {
          const columns = await columnsOf(source);
          return {
            columns,
            rows: await rowsOf(source, columns),
            made: (await source.query('SELECT name FROM migrations ORDER BY id')) as unknown,
          };
        } finally {
          await source.destroy();
        }
      };
      const first = await look();
      expect(first.made).toEqual(MIGRATIONS.map(({ name }) => ({ name })));
      expect(await look()).toEqual(first);
    }));

  it('loses everything again when all migrations are taken back', () =>
    withDatabase(async (address) => {
      await (await openDataSource(address)).destroy();
      await backTo(address, 0);
      expect(await connected(address, 0, columnsOf)).toEqual([]);
    }));
});

describe('a run that was in mid-round when the coordinator was brought up to date', () => {
  const coordinator = new TestCoordinator();
  let sites: ScriptedSite[];
  let run: string;
  const stateOf = async (sum: number) => (await coordinator.run(run)).rounds.find((round) => round.sum === sum)?.state;

  beforeAll(async () => {
    await coordinator.start();
    sites = await coordinator.join('alpha', 'beta', 'gamma');
    run = await coordinator.launch();
  });
  afterAll(async () => {
    for (const site of sites) site.calls.close();
    await coordinator.remove();
  });

  it('goes on from where it was, to its end, and the ledger with it', async () => {
    const [, ...others] = sites;
    await workUntil(sites, async () => (await stateOf(5)) !== undefined);
    await workUntil(others, async () => (await coordinator.run(run)).waitingFor.join() === 'alpha');
    const before = await coordinator.run(run);
    await coordinator.stop();
    await withDatabaseOf(coordinator, (address) => backTo(address, MIGRATIONS_BEFORE));
    await coordinator.start();
    const { rounds, ...rest } = await coordinator.run(run);
    expect(rounds.map(({ sum, state, counted }) => ({ sum, state, counted }))).toEqual(
      before.rounds.map(({ sum, state, counted }) => ({ sum, state, counted })),
    );
    expect(rest.fingerprint).toBe(before.fingerprint);
    await workUntil(sites, async () => (await coordinator.run(run)).state === 'completed');
    expect((await coordinator.run(run)).rounds.every(({ state }) => state === 'closed')).toBe(true);
  });
});

/** The database of a coordinator that is stopped. */
async function withDatabaseOf({ database, folder }: TestCoordinator, work: (address: DatabaseAddress) => Promise<void>): Promise<void> {
  if (database !== undefined) return work({ url: database.url });
  const embedded = await startEmbeddedPostgres(join(folder, 'database'));
  try {
    const { host, port } = embedded;
    await work({ host, port });
  } finally {
    await embedded.stop();
  }
}
