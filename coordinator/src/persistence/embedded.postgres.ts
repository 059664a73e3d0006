import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PGlite } from '@electric-sql/pglite';
import { PGLiteSocketServer } from '@electric-sql/pglite-socket';

/** A PostgreSQL inside this process, reached through a unix socket by the ordinary driver. */
export interface EmbeddedPostgres {
  /** Folder of the socket: the driver's `host`. */
  host: string;
  port: number;
  stop(): Promise<void>;
}

/** PostgreSQL clients look for `.s.PGSQL.<port>` in the folder; the number has no other meaning here. */
const PORT = 5432;

/**
 * Starts the embedded database on a folder. The caller must hold the folder's lock: a second opener destroys the data.
 * The socket's folder is private (0700) and in the system's temporary folder, because socket paths end at 107 bytes.
 */
export async function startEmbeddedPostgres(folder: string): Promise<EmbeddedPostgres> {
  const database = await PGlite.create(folder);
  const host = mkdtempSync(join(tmpdir(), 'coferment-'));
  const server = new PGLiteSocketServer({ db: database, path: join(host, `.s.PGSQL.${PORT}`), maxConnections: 8 });
  await server.start();
  return {
    host,
    port: PORT,
    stop: async () => {
      await server.stop();
      await database.close();
      rmSync(host, { recursive: true, force: true });
    },
  };
}
