import { createHash } from 'node:crypto';
import { createReadStream, existsSync, readFileSync } from 'node:fs';
import { open, readdir } from 'node:fs/promises';
import { join, relative, sep } from 'node:path';
import { type Checksums, checksumFault, formatChecksums, parseChecksums } from '@coferment/crypto';
import { CoordinatorError } from '../errors/index.js';
import { replaceFile } from '../identity/sealed.file.js';

export const CHECKSUM_FILE = 'SHA256SUMS';

/** Every file of a folder but its list of checksums, by relative path with slashes. */
async function readChecksums(folder: string): Promise<Checksums> {
  const found = new Map<string, string>();
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    const name = relative(folder, path).replaceAll(sep, '/');
    if (entry.isDirectory() || name === CHECKSUM_FILE) continue;
    const hash = createHash('sha256');
    for await (const chunk of createReadStream(path) as AsyncIterable<Buffer>) hash.update(chunk);
    found.set(name, hash.digest('hex'));
  }
  return found;
}

/** Last of all: a copy that was cut off has no list, and is no backup. */
export async function writeChecksums(folder: string): Promise<number> {
  const found = await readChecksums(folder);
  await flushTree(folder);
  replaceFile(join(folder, CHECKSUM_FILE), formatChecksums(found));
  return found.size;
}

/** @throws CoordinatorError 'backup-damaged' when a file is missing, altered or too much */
export async function requireChecksums(folder: string): Promise<void> {
  const list = join(folder, CHECKSUM_FILE);
  if (!existsSync(list))
    throw new CoordinatorError('backup-damaged', `${folder} is no whole backup: it has no ${CHECKSUM_FILE}. Nothing was restored.`);
  let fault: string | undefined;
  try {
    fault = checksumFault(parseChecksums(readFileSync(list, 'latin1')), await readChecksums(folder));
  } catch (error) {
    fault = (error as Error).message;
  }
  if (fault !== undefined)
    throw new CoordinatorError(
      'backup-damaged',
      `The backup ${folder} is damaged: ${fault}. Nothing was restored; use another copy of it.`,
    );
}

/** A copy is on the disk only when its files and the folders that name them are. */
export async function flushTree(folder: string): Promise<void> {
  if (process.platform === 'win32') return;
  for (const path of [folder, ...(await readdir(folder, { recursive: true })).map((entry) => join(folder, entry))]) {
    const handle = await open(path, 'r');
    await handle.sync();
    await handle.close();
  }
}
