import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { CoordinatorError } from '../errors/index.js';
import { replaceFile } from '../identity/sealed.file.js';

const replicaSchema = z.strictObject({
  schema: z.literal('coferment-replica/1'),
  /** By which it tells its own work from that of others. */
  id: z.string().regex(/^[0-9a-f]{16}$/),
  /** Made by `replica make`: alone, with a database or objects of its own, it would be a second consortium with the same keys. */
  copied: z.boolean(),
});

/** What tells data folders of one consortium apart; `replica.json` in each. */
export type Replica = Pick<z.infer<typeof replicaSchema>, 'id' | 'copied'>;

const replicaFile = (folder: string): string => join(folder, 'replica.json');

/** The folder's own name, drawn at its first start. @throws CoordinatorError 'folder-unusable' */
export function replicaOf(folder: string): Replica {
  const file = replicaFile(folder);
  if (!existsSync(file)) return keepReplica(folder, { copied: false });
  try {
    return replicaSchema.parse(JSON.parse(readFileSync(file, 'utf8')));
  } catch (cause) {
    throw new CoordinatorError('folder-unusable', `${file} is damaged. Restore it, with the files beside it, from one backup.`, { cause });
  }
}

export function keepReplica(folder: string, { copied }: Pick<Replica, 'copied'>): Replica {
  const replica = { id: randomBytes(8).toString('hex'), copied };
  replaceFile(replicaFile(folder), `${JSON.stringify({ schema: 'coferment-replica/1', ...replica }, null, 2)}\n`);
  return replica;
}

/** @throws CoordinatorError 'folder-unusable' for the folder of a replica that is started with less than the others share */
export function requireSharing(folder: string, { copied }: Replica, shared: { databaseUrl?: string; objects?: string }): void {
  if (!copied) return;
  if (shared.databaseUrl === undefined)
    throw new CoordinatorError(
      'folder-unusable',
      `${folder} is the folder of a replica, and DATABASE_URL names no server. The embedded database belongs to one process: a replica with one of its own would begin a second ledger with the same keys. Set DATABASE_URL as for the other replicas.`,
    );
  if (shared.objects === undefined)
    throw new CoordinatorError(
      'folder-unusable',
      `${folder} is the folder of a replica, and --objects is missing. Give the object folder that the other replicas use.`,
    );
}
