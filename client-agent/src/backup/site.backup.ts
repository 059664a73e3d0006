import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, isAbsolute, join, relative, resolve, sep } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { z } from 'zod';
import { AgentError } from '../agent.error.js';
import { readMembership } from '../enrolment/membership.file.js';
import { Journal } from '../journal/journal.js';
import { flushFile, writeFileDurably } from '../keys/atomic.file.js';
import { privateFile, privateFolder, requirePrivate } from '../keys/private.file.js';
import { CHECKSUM_FILE, requireChecksums, writeChecksums } from './folder.checksums.js';

const LABEL = 'backup.json';
const JOURNAL = 'journal.sqlite';
const labelSchema = z.strictObject({
  schema: z.literal('coferment-backup/1'),
  of: z.literal('site'),
  consortium: z.string(),
  site: z.string(),
  madeAt: z.iso.datetime(),
});

/** Whose backup it is, and from when. */
export type SiteBackup = z.infer<typeof labelSchema>;

/**
 * Copies a data folder, also while its agent serves. Left out are the keys of key epochs, because whoever gets hold of an old backup and the passphrase could
 * otherwise open what was sent in them (SECURITY.md), what only those keys give a sense to, locks and the log. Needs no passphrase: keys stay sealed.
 * @param out a folder that is not there yet
 */
export async function backUpSite(folder: string, out: string): Promise<SiteBackup & { files: number }> {
  const { consortium, site } = readMembership(folder);
  requirePrivate(folder);
  requireNew(out);
  requireApart(folder, out);
  privateFolder(out);
  const unsendable = sentObjects(folder);
  for (const path of filesOf(folder)) {
    if (isKept(path) && !unsendable.has(path)) copyPrivate(join(folder, path), join(out, path));
  }
  copyJournal(join(folder, JOURNAL), join(out, JOURNAL));
  const label: SiteBackup = { schema: 'coferment-backup/1', of: 'site', consortium, site, madeAt: new Date().toISOString() };
  writeFileDurably(join(out, LABEL), Buffer.from(`${JSON.stringify(label, null, 2)}\n`));
  return { ...label, files: await writeChecksums(out) };
}

/**
 * Makes a data folder of a backup. What was signed in a key epoch after the backup was made is not in it, and neither are the epoch's keys: the site has left
 * every epoch that the journal knows, and its agent tells the coordinator so. Epochs that the journal does not know it finds in the ledger.
 * @param folder one that is not there yet, or empty
 */
export async function restoreSite(backup: string, folder: string): Promise<SiteBackup & { leftEpochs: number }> {
  requireNew(folder);
  await requireChecksums(backup);
  const label = readLabel(backup);
  privateFolder(folder);
  // member.json makes a folder a member's: it comes last.
  const paths = filesOf(backup).filter((path) => path !== LABEL && path !== CHECKSUM_FILE);
  for (const path of paths.sort((a, b) => Number(a === 'member.json') - Number(b === 'member.json')))
    copyPrivate(join(backup, path), join(folder, path));
  return { ...label, leftEpochs: leaveEpochs(join(folder, JOURNAL)) };
}

function leaveEpochs(path: string): number {
  const journal = Journal.open(path);
  try {
    let left = 0;
    const reason = 'this data folder was restored from a backup, which holds no keys of key epochs.';
    for (const { run, state } of journal.runs.all()) {
      if (state === 'closed' || state === 'dead') continue;
      const known = Math.max(0, ...journal.runs.epochs(run).map(({ epoch }) => epoch));
      for (let epoch = 1; epoch <= known + 1; epoch++) {
        // Of the next epoch the site may have offered a key already.
        if (epoch > known && journal.statements.find(run, 'sealing-key', String(epoch)) === undefined) continue;
        journal.ownActs.killEpoch({ run, epoch, reason });
        left += 1;
      }
    }
    return left;
  } finally {
    journal.close();
  }
}

function readLabel(backup: string): SiteBackup {
  const path = join(backup, LABEL);
  const found = existsSync(path) ? labelSchema.safeParse(JSON.parse(readFileSync(path, 'utf8'))) : undefined;
  if (found?.success === true) return found.data;
  throw new AgentError(
    'backup-damaged',
    `${backup} is no backup of a site. A coordinator's is restored with: coferment restore FOLDER --data DIR`,
  );
}

function isKept(path: string): boolean {
  if (path.startsWith('keys/epochs/') || path.endsWith('.tmp')) return false;
  return !/^(agent\.log|lock\.(json|sqlite)(-journal|-wal|-shm)?|journal\.sqlite(-journal|-wal|-shm)?)$/.test(path);
}

/** Ciphertexts, dealings and shares: without the epoch's keys the site sends none of them again. */
function sentObjects(folder: string): Set<string> {
  const journal = Journal.open(join(folder, JOURNAL));
  try {
    return new Set(journal.runs.all().flatMap(({ run }) => journal.statements.objects(run).map((digest) => `objects/${digest}`)));
  } finally {
    journal.close();
  }
}

/** One read transaction of SQLite's own: whole also while the agent writes. */
function copyJournal(from: string, to: string): void {
  privateFile(to);
  const database = new DatabaseSync(from, { timeout: 10_000 });
  try {
    database.prepare('VACUUM INTO ?').run(to);
  } finally {
    database.close();
  }
  flushFile(to);
}

/** A file that the serving agent has removed meanwhile is not missed. */
function copyPrivate(from: string, to: string): void {
  mkdirSync(dirname(to), { recursive: true, mode: 0o700 });
  try {
    copyFileSync(from, to);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return;
    throw error;
  }
  privateFile(to);
  flushFile(to);
}

function filesOf(folder: string): string[] {
  const paths = readdirSync(folder, { recursive: true, encoding: 'utf8' });
  return paths
    .filter((path) => statSync(join(folder, path), { throwIfNoEntry: false })?.isFile() === true)
    .map((path) => path.replaceAll(sep, '/'));
}

function requireApart(folder: string, out: string): void {
  const way = relative(resolve(folder), resolve(out));
  if (way !== '..' && !way.startsWith(`..${sep}`) && !isAbsolute(way))
    throw new AgentError(
      'file-exists',
      `${out} lies in ${folder} itself and would be lost with it. Nothing was changed; give a folder elsewhere.`,
    );
}

function requireNew(folder: string): void {
  if (existsSync(folder) && readdirSync(folder).length > 0)
    throw new AgentError('file-exists', `${folder} is there already and is not empty. Nothing was changed; give a new folder.`);
}
