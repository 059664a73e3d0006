import { DataSource, type MigrationInterface } from 'typeorm';
import { InviteEntity, SiteEntity } from '../enrolment/site.entity.js';
import { EpochEntity } from '../epochs/epoch.entity.js';
import { ModelStateEntity } from '../models/model-state.entity.js';
import { ObjectEntity } from '../objects/object.entity.js';
import { PlanEntity } from '../plans/plan.entity.js';
import { LedgerEntryEntity } from '../publication/ledger-entry.entity.js';
import { RoundEntity } from '../rounds/round.entity.js';
import { ActEntity } from '../runs/act.entity.js';
import { EventEntity } from '../runs/event.entity.js';
import { RunEntity } from '../runs/run.entity.js';
import { AuthoritiesEntity } from '../certificates/authorities.entity.js';
import { RenewalEntity } from '../certificates/renewal.entity.js';
import { First1700000000001 } from './migrations/0001-first.migration.js';
import { KeyEpochs1700000000002 } from './migrations/0002-key-epochs.migration.js';
import { Membership1700000000003 } from './migrations/0003-membership.migration.js';
import { LedgerTiles1700000000004 } from './migrations/0004-ledger-tiles.migration.js';
import { Witnesses1700000000005 } from './migrations/0005-witnesses.migration.js';
import { ShownOffers1700000000006 } from './migrations/0006-shown-offers.migration.js';
import { Control1700000000008 } from './migrations/0008-control.migration.js';
import { NewSet1700000000009 } from './migrations/0009-new-set.migration.js';
import { Replicas1700000000010 } from './migrations/0010-replicas.migration.js';
import { Objects1700000000011 } from './migrations/0011-objects.migration.js';
import { KeptTime1700000000012 } from './migrations/0012-kept-time.migration.js';
import { StoredObjects1700000000013 } from './migrations/0013-stored-objects.migration.js';
import { CosignatureEntity, OfferEntity, RollEntity } from '../witnessing/witnessing.entity.js';

/** A PostgreSQL server by URL, or the embedded one by its socket. */
export type DatabaseAddress = { url: string } | { host: string; port: number };

/** In their order. Only ever appended to: a consortium's database outlives releases. */
export const MIGRATIONS = [
  First1700000000001,
  KeyEpochs1700000000002,
  Membership1700000000003,
  LedgerTiles1700000000004,
  Witnesses1700000000005,
  ShownOffers1700000000006,
  Control1700000000008,
  NewSet1700000000009,
  Replicas1700000000010,
  Objects1700000000011,
  KeptTime1700000000012,
  StoredObjects1700000000013,
];

/**
 * Of a server. What is cut on this side is to end there too: a statement that nobody waits for any more would keep its locks.
 * Migrations are not bounded: on a large ledger one may take long.
 */
const SERVER_LIMITS = {
  connectionTimeoutMillis: 10_000,
  statement_timeout: 20_000,
  idle_in_transaction_session_timeout: 20_000,
  keepAlive: true,
  keepAliveInitialDelayMillis: 10_000,
};

/** Any number, the same in every version: whoever migrates a server's database holds this lock. */
const MIGRATION_LOCK = 7_261_350_942;

/** Connects and brings the schema up to date. Tables come from migrations only. */
export async function openDataSource(address: DatabaseAddress): Promise<DataSource> {
  if ('host' in address) {
    const source = await connectDataSource(address);
    try {
      await source.runMigrations();
    } catch (error) {
      await source.destroy();
      throw error;
    }
    return source;
  }
  const unbounded = await connectDataSource(address, { connectionTimeoutMillis: SERVER_LIMITS.connectionTimeoutMillis });
  try {
    await migrateAlone(unbounded);
  } finally {
    await unbounded.destroy();
  }
  return connectDataSource(address, SERVER_LIMITS);
}

/** Coordinators that start together would all make the same tables, and all but one would fail. */
async function migrateAlone(source: DataSource): Promise<void> {
  const runner = source.createQueryRunner();
  try {
    await runner.query('SELECT pg_advisory_lock($1)', [MIGRATION_LOCK]);
    await source.runMigrations();
    await runner.query('SELECT pg_advisory_unlock($1)', [MIGRATION_LOCK]);
  } finally {
    await runner.release();
  }
}

/** Connects; the schema is as it was. @param migrations that `runMigrations` then makes: tests go to an older version's schema */
export async function connectDataSource(
  address: DatabaseAddress,
  extra: Partial<typeof SERVER_LIMITS> = {},
  migrations: readonly (new () => MigrationInterface)[] = MIGRATIONS,
): Promise<DataSource> {
  const embedded = 'host' in address;
  const source = new DataSource({
    type: 'postgres',
    ...(embedded ? { ...address, username: 'postgres', database: 'postgres' } : address),
    // The embedded database is one session for all connections: a second one would only see the first one's open transaction.
    poolSize: embedded ? 1 : 8,
    extra,
    // A connection that ends while nobody uses it is replaced; who uses one hears of it by its own query.
    poolErrorHandler: () => undefined,
    installExtensions: false,
    entities: [
      SiteEntity,
      InviteEntity,
      PlanEntity,
      RunEntity,
      ActEntity,
      EventEntity,
      EpochEntity,
      RoundEntity,
      ModelStateEntity,
      ObjectEntity,
      LedgerEntryEntity,
      RenewalEntity,
      AuthoritiesEntity,
      RollEntity,
      OfferEntity,
      CosignatureEntity,
    ],
    migrations: [...migrations],
    synchronize: false,
  });
  await source.initialize();
  return source;
}

/** Whether every migration has been made. Changes nothing, in a database without any tables too. */
export async function isMigrated(source: DataSource): Promise<boolean> {
  const [table] = (await source.query("SELECT to_regclass('migrations') IS NOT NULL AS known")) as { known: boolean }[];
  if (table?.known !== true) return false;
  const rows = (await source.query('SELECT name FROM migrations')) as { name: string }[];
  const made = new Set(rows.map(({ name }) => name));
  return MIGRATIONS.every(({ name }) => made.has(name));
}
