import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { Global, Inject, Module, type OnApplicationShutdown } from '@nestjs/common';
import type { DataSource } from 'typeorm';
import { CoordinatorError } from '../errors/index.js';
import { Settings } from '../settings.js';
import { type DatabaseAddress, connectDataSource, isMigrated, openDataSource } from './data-source.factory.js';
import { Database, type DatabaseServer } from './database.js';
import { startEmbeddedPostgres } from './embedded.postgres.js';

type Place = Pick<Settings, 'folder' | 'databaseUrl'>;

/** The database of a data folder, whose lock the caller holds, with its schema brought up to date. */
export function openDatabase(place: Place): Promise<Database> {
  return open(place, openDataSource);
}

/**
 * As {@link openDatabase}, for those who only look: nothing is made and no schema is changed.
 * @throws CoordinatorError 'folder-unusable' when the database is another one, or of an older version
 */
export async function openDatabaseAsItIs(place: Place): Promise<Database> {
  const { folder, databaseUrl } = place;
  if (databaseUrl === undefined && !existsSync(embeddedFolder(folder)))
    throw new CoordinatorError(
      'folder-unusable',
      `${embeddedFolder(folder)} does not exist: the database of this coordinator is on a server. Set DATABASE_URL as for "coferment start". Nothing was changed.`,
    );
  return open(place, async (address) => {
    const source = await connectDataSource(address);
    if (await isMigrated(source)) return source;
    await source.destroy();
    throw new CoordinatorError(
      'folder-unusable',
      'The database has not all tables of this version: either it is not the one of this coordinator (see DATABASE_URL), or an older version wrote it. ' +
        'Then start the coordinator once, which brings it up to date, and stop it again. Nothing was changed.',
    );
  });
}

async function open({ folder, databaseUrl }: Place, connect: (address: DatabaseAddress) => Promise<DataSource>): Promise<Database> {
  if (databaseUrl !== undefined) {
    const server = namedServer(databaseUrl);
    return new Database(await connect({ url: server.url }), async () => {}, server);
  }
  const embedded = await startEmbeddedPostgres(embeddedFolder(folder));
  try {
    return new Database(await connect(embedded), () => embedded.stop());
  } catch (error) {
    await embedded.stop();
    throw error;
  }
}

/** In the URL, where the last parameter counts: one that the operator gave to all coordinators would make them take each other's changes for their own. */
function namedServer(url: string): DatabaseServer {
  const processName = `coferment ${randomBytes(8).toString('hex')}`;
  return { url: `${url}${url.includes('?') ? '&' : '?'}application_name=${encodeURIComponent(processName)}`, processName };
}

function embeddedFolder(folder: string): string {
  return join(folder, 'database');
}

@Global()
@Module({
  providers: [{ provide: Database, useFactory: openDatabase, inject: [Settings] }],
  exports: [Database],
})
export class PersistenceModule implements OnApplicationShutdown {
  constructor(@Inject(Database) private readonly database: Database) {}

  async onApplicationShutdown(): Promise<void> {
    await this.database.close();
  }
}
