import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { AgentError } from '../agent.error.js';
import { privateFile, privateFolder } from '../keys/private.file.js';

/** Held while `serve` runs; given back by `release`, or by the kernel when the process dies in any way. */
export interface FolderLock {
  release(): void;
}

/**
 * The exclusive right to a data folder. Two agents on one folder would each draw nonces and encrypt under one K, so the second
 * must not start. SQLite's file lock is used because the kernel drops it with the process, also on SIGKILL; a pid file stays.
 * @throws AgentError 'folder-locked' naming the process that holds it
 */
export function lockFolder(folder: string): FolderLock {
  privateFolder(folder);
  const holderFile = join(folder, 'lock.json');
  privateFile(join(folder, 'lock.sqlite'));
  const database = new DatabaseSync(join(folder, 'lock.sqlite'), { timeout: 0 });
  try {
    database.exec('PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE');
  } catch {
    database.close();
    throw new AgentError(
      'folder-locked',
      `Another agent uses ${folder}: ${describeHolder(holderFile)}. Stop it first; two agents on one folder would break its keys.`,
    );
  }
  writeFileSync(holderFile, `${JSON.stringify({ pid: process.pid, startedAt: new Date().toISOString() })}\n`, { mode: 0o600 });
  return {
    release: () => {
      rmSync(holderFile, { force: true });
      database.close();
    },
  };
}

function describeHolder(file: string): string {
  try {
    const { pid, startedAt } = JSON.parse(readFileSync(file, 'utf8')) as { pid?: unknown; startedAt?: unknown };
    return `process ${String(pid)}, started ${String(startedAt)}`;
  } catch {
    return 'a process that did not leave its number';
  }
}
