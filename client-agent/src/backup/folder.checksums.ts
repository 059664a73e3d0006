import { createHash } from 'node:crypto';
import { createReadStream, existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, relative, sep } from 'node:path';
import { type Checksums, checksumFault, formatChecksums, parseChecksums } from '@coferment/crypto';
import { AgentError } from '../agent.error.js';
import { writeFileDurably } from '../keys/atomic.file.js';

export const CHECKSUM_FILE = 'SHA256SUMS';

/** Every file of a folder but its list of checksums, by relative path with slashes. */
export async function readChecksums(folder: string): Promise<Checksums> {
  const found = new Map<string, string>();
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    const name = relative(folder, path).replaceAll(sep, '/');
    if (!entry.isDirectory() && name !== CHECKSUM_FILE) found.set(name, await digestOf(path));
  }
  return found;
}

async function digestOf(path: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(path) as AsyncIterable<Buffer>) hash.update(chunk);
  return hash.digest('hex');
}

/** Last of all: a copy that was cut off has no list, and is no backup. */
export async function writeChecksums(folder: string): Promise<number> {
  const found = await readChecksums(folder);
  writeFileDurably(join(folder, CHECKSUM_FILE), Buffer.from(formatChecksums(found)));
  return found.size;
}

/** @throws AgentError 'backup-damaged' when a file is missing, altered or too much */
export async function requireChecksums(folder: string): Promise<void> {
  const list = join(folder, CHECKSUM_FILE);
  if (!existsSync(list))
    throw new AgentError('backup-damaged', `${folder} is no whole backup: it has no ${CHECKSUM_FILE}. Nothing was restored.`);
  let fault: string | undefined;
  try {
    fault = checksumFault(parseChecksums(readFileSync(list, 'latin1')), await readChecksums(folder));
  } catch (error) {
    fault = (error as Error).message;
  }
  if (fault !== undefined)
    throw new AgentError('backup-damaged', `The backup ${folder} is damaged: ${fault}. Nothing was restored; use another copy of it.`);
}
