import { chmodSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { type FileRights, fileModeFault } from '@coferment/crypto';
import { CoordinatorError } from '../errors/index.js';

/** Undefined where there is nothing. */
export function rightsOf(path: string): FileRights | undefined {
  const stats = statSync(path, { throwIfNoEntry: false });
  if (stats === undefined) return undefined;
  return { mode: stats.mode, uid: stats.uid, isFolder: stats.isDirectory(), asker: process.getuid?.() };
}

/**
 * Refuses keys that others can get at. They are not mended in silence: somebody has to decide whether they were read.
 * @throws CoordinatorError 'file-mode' with the command that mends it
 */
export function requirePrivate(path: string): void {
  const rights = rightsOf(path);
  const fault = rights === undefined ? undefined : fileModeFault(path, rights);
  if (fault !== undefined) throw new CoordinatorError('file-mode', fault);
}

/** Takes every right from others. For a folder in which no keys lie yet. */
export function makePrivate(folder: string): void {
  if (process.platform !== 'win32') chmodSync(folder, 0o700);
}

/** {@link makePrivate} for a folder that was just copied, and everything in it. */
export function makePrivateTree(folder: string): void {
  if (process.platform === 'win32') return;
  makePrivate(folder);
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true }))
    chmodSync(join(entry.parentPath, entry.name), entry.isDirectory() ? 0o700 : 0o600);
}
