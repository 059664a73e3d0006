import { join } from 'node:path';
import { PGlite } from '@electric-sql/pglite';
import { Client } from 'pg';
import type { MemberFolders } from '../../../demo/src/members/member.folders.js';
import { violationsOf } from '../invariants/invariants.js';
import { type Query, readStores } from '../invariants/stores.reading.js';
import { SITES } from './fault.schedule.js';
import { siteFolder } from './member.programs.js';

/** What does not hold in the stores of an embedded coordinator and its sites. Everybody has stopped: two processes on the database would destroy it. */
export async function violationsInEmbedded(folders: MemberFolders): Promise<string[]> {
  const database = await PGlite.create(join(folders.coordinator, 'database'));
  try {
    return await violationsIn(folders, folders.coordinator, async (statement) => (await database.query(statement)).rows);
  } finally {
    await database.close();
  }
}

/** The same for replicas on a server. @param objectsIn the folder that holds their shared `objects` */
export async function violationsOnServer(folders: MemberFolders, databaseUrl: string, objectsIn: string): Promise<string[]> {
  const client = new Client({ connectionString: databaseUrl });
  await client.connect();
  try {
    return await violationsIn(folders, objectsIn, async (statement) => (await client.query<object>(statement)).rows);
  } finally {
    await client.end();
  }
}

async function violationsIn(folders: MemberFolders, folder: string, query: Query): Promise<string[]> {
  const agents = SITES.map((site) => ({ site, folder: siteFolder(folders, site) }));
  try {
    return violationsOf(await readStores({ folder, query, agents }));
  } catch (error) {
    // Stores that cannot be read are a finding, not the end of the test: their folders have to stay.
    return [`the stores cannot be read: ${(error as Error).message}`];
  }
}
