import { chmodSync, closeSync, mkdirSync, openSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileModeFault, type FileRights } from '@coferment/crypto';
import { AgentError } from '../agent.error.js';

/** A folder that nobody but its owner may enter, whatever rights it had before. For folders in which no keys lie yet. */
export function privateFolder(path: string): void {
  mkdirSync(path, { recursive: true, mode: 0o700 });
  if (process.platform !== 'win32') chmodSync(path, 0o700);
}

/** Makes the file, empty, if there is none, so that whoever opens it next finds it with rights for its owner only. */
export function privateFile(path: string): void {
  closeSync(openSync(path, 'a', 0o600));
  if (process.platform !== 'win32') chmodSync(path, 0o600);
}

/** Undefined where there is nothing, or nothing that this process may look at. */
export function rightsOf(path: string): FileRights | undefined {
  const stats = statSync(path, { throwIfNoEntry: false });
  if (stats === undefined) return undefined;
  return { mode: stats.mode, uid: stats.uid, isFolder: stats.isDirectory(), asker: process.getuid?.() };
}

/**
 * Refuses keys that others can get at. They are not mended in silence: somebody has to decide whether they were read.
 * @throws AgentError 'file-mode' with the command that mends it
 */
export function requirePrivate(path: string): void {
  const rights = rightsOf(path);
  const fault = rights === undefined ? undefined : fileModeFault(path, rights);
  if (fault !== undefined) throw new AgentError('file-mode', fault);
}

/** {@link requirePrivate} for a folder and everything in it. */
export function requirePrivateTree(folder: string): void {
  requirePrivate(folder);
  for (const entry of readdirSync(folder, { recursive: true, encoding: 'utf8' })) requirePrivate(join(folder, entry));
}
