import { copyFileSync, cpSync, existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { basename, isAbsolute, join, relative, resolve, sep } from 'node:path';
import { z } from 'zod';
import { CoordinatorError } from '../errors/index.js';
import { readFacts } from '../identity/consortium.facts.js';
import { makePrivateTree, requirePrivate } from '../identity/private.file.js';
import { replaceFile } from '../identity/sealed.file.js';
import { lockFolder } from '../persistence/folder.lock.js';
import { CHECKSUM_FILE, flushTree, requireChecksums, writeChecksums } from './folder.checksums.js';

const LABEL = 'backup.json';
const labelSchema = z.strictObject({
  schema: z.literal('coferment-backup/1'),
  of: z.literal('coordinator'),
  consortium: z.string(),
  madeAt: z.iso.datetime(),
  /** A database on a server is not in the folder, and not in the backup. */
  database: z.enum(['embedded', 'server']),
});

/** Whose backup it is, from when, and where the database is. */
export type ConsortiumBackup = z.infer<typeof labelSchema>;

/**
 * Copies the data folder of a coordinator that does not run: keys (sealed as they are), the embedded database, objects and the last checkpoint. Needs no passphrase.
 * @param out a folder that is not there yet
 * @throws CoordinatorError 'folder-locked' while the coordinator runs: a copy of its database then would be no database
 */
export async function backUpConsortium(folder: string, out: string): Promise<ConsortiumBackup & { files: number }> {
  const { consortium } = readFacts(folder);
  requirePrivate(folder);
  requireNew(out);
  requireApart(folder, out);
  const lock = lockFolder(folder);
  try {
    mkdirSync(out, { recursive: true, mode: 0o700 });
    // What a link stands for is part of the folder; the link alone would be no copy.
    cpSync(folder, out, { recursive: true, dereference: true, filter: (path) => isKept(relative(folder, path).replaceAll(sep, '/')) });
    const database = existsSync(join(folder, 'database')) ? 'embedded' : 'server';
    const label: ConsortiumBackup = {
      schema: 'coferment-backup/1',
      of: 'coordinator',
      consortium,
      madeAt: new Date().toISOString(),
      database,
    };
    replaceFile(join(out, LABEL), `${JSON.stringify(label, null, 2)}\n`);
    makePrivateTree(out);
    return { ...label, files: await writeChecksums(out) };
  } finally {
    lock.release();
  }
}

/**
 * Makes a data folder of a backup.
 * @param folder one that is not there yet, or empty
 * @param checkpoint the newest checkpoint that anybody has, such as that of an exported ledger: a coordinator that is older than it does not start
 */
export async function restoreConsortium(backup: string, folder: string, checkpoint?: string): Promise<ConsortiumBackup> {
  requireNew(folder);
  if (checkpoint !== undefined && !existsSync(checkpoint))
    throw new CoordinatorError('backup-damaged', `There is no checkpoint in ${checkpoint}. Nothing was restored.`);
  await requireChecksums(backup);
  const label = readLabel(backup);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  // The facts make a folder a consortium's: they come last.
  const facts = 'consortium.json';
  cpSync(backup, folder, { recursive: true, filter: (path) => ![facts, LABEL, CHECKSUM_FILE].includes(relative(backup, path)) });
  if (checkpoint !== undefined) copyFileSync(checkpoint, join(folder, 'checkpoint'));
  copyFileSync(join(backup, facts), join(folder, facts));
  makePrivateTree(folder);
  await flushTree(folder);
  return label;
}

function readLabel(backup: string): ConsortiumBackup {
  const path = join(backup, LABEL);
  const found = existsSync(path) ? labelSchema.safeParse(JSON.parse(readFileSync(path, 'utf8'))) : undefined;
  if (found?.success === true) return found.data;
  throw new CoordinatorError(
    'backup-damaged',
    `${backup} is no backup of a coordinator. A site's is restored with: coferment-agent restore FOLDER --data DIR`,
  );
}

/** Locks belong to a process; what has only half arrived is sent again, and copies of a bucket's objects are fetched again. */
function isKept(path: string): boolean {
  return (
    !/^lock\.(json|sqlite)(-|$)/.test(path) && path !== 'objects/partial' && path !== 'object-cache' && !basename(path).endsWith('.draft')
  );
}

function requireApart(folder: string, out: string): void {
  const way = relative(resolve(folder), resolve(out));
  if (way !== '..' && !way.startsWith(`..${sep}`) && !isAbsolute(way))
    throw new CoordinatorError(
      'file-exists',
      `${out} lies in ${folder} itself and would be lost with it. Nothing was changed; give a folder elsewhere.`,
    );
}

function requireNew(folder: string): void {
  if (existsSync(folder) && readdirSync(folder).length > 0)
    throw new CoordinatorError('file-exists', `${folder} is there already and is not empty. Nothing was changed; give a new folder.`);
}
