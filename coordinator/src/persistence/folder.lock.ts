import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { z } from 'zod';
import { CoordinatorError } from '../errors/index.js';

const holderSchema = z.object({ pid: z.number(), startedAt: z.string() });

/** Held while a coordinator uses a data folder. */
export interface FolderLock {
  release(): void;
}

/**
 * Takes the data folder for this process alone. A second process that opens the embedded database destroys it, so this comes before anything else.
 * The lock is SQLite's own file lock: the kernel drops it when the holder dies, also by SIGKILL, so no stale lock is ever in the way.
 * @throws CoordinatorError 'folder-locked' naming the process that holds it
 */
export function lockFolder(folder: string): FolderLock {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const holderFile = join(folder, 'lock.json');
  const database = new DatabaseSync(join(folder, 'lock.sqlite'), { timeout: 0 });
  try {
    database.exec('BEGIN EXCLUSIVE');
  } catch (cause) {
    database.close();
    throw new CoordinatorError(
      'folder-locked',
      `The data folder ${folder} is in use by ${holderOf(holderFile)}. Stop it first, or use another folder.`,
      { cause },
    );
  }
  writeFileSync(holderFile, `${JSON.stringify({ pid: process.pid, startedAt: new Date().toISOString() })}\n`);
  return { release: () => database.close() };
}

function holderOf(file: string): string {
  try {
    const { pid, startedAt } = holderSchema.parse(JSON.parse(readFileSync(file, 'utf8')));
    return `process ${pid}, started at ${startedAt}`;
  } catch {
    return 'another process';
  }
}
