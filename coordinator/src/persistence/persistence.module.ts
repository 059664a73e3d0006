import { join } from 'node:path';
import { Global, Inject, Module, type OnApplicationShutdown } from '@nestjs/common';
import { Settings } from '../settings.js';
import { openDataSource } from './data-source.factory.js';
import { Database } from './database.js';
import { startEmbeddedPostgres } from './embedded.postgres.js';

/** The database of a data folder, whose lock the caller holds. */
export async function openDatabase(settings: Pick<Settings, 'folder' | 'databaseUrl'>): Promise<Database> {
  if (settings.databaseUrl !== undefined) return new Database(await openDataSource({ url: settings.databaseUrl }), async () => {});
  const embedded = await startEmbeddedPostgres(join(settings.folder, 'database'));
  return new Database(await openDataSource(embedded), () => embedded.stop());
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
