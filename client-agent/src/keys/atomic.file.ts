import { randomBytes } from 'node:crypto';
import { closeSync, existsSync, fstatSync, fsyncSync, mkdirSync, openSync, renameSync, rmSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';
import { AgentError } from '../agent.error.js';

/**
 * Writes a whole file or nothing: temporary file, fsync, rename, fsync of the folder. After it returns the bytes survive a
 * power cut; before that the old file is still there. Files are readable by the owner only.
 */
export function writeFileDurably(path: string, bytes: Uint8Array): void {
  const folder = dirname(path);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const temporary = `${path}.${randomBytes(6).toString('hex')}.tmp`;
  const file = openSync(temporary, 'wx', 0o600);
  try {
    for (let offset = 0; offset < bytes.length;) offset += writeSync(file, bytes, offset);
    fsyncSync(file);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw error;
  } finally {
    closeSync(file);
  }
  renameSync(temporary, path);
  syncFolder(folder);
}

/** {@link writeFileDurably} for a file that must not be there yet. @throws AgentError 'file-exists' */
export function writeNewFile(path: string, bytes: Uint8Array): void {
  if (existsSync(path)) throw new AgentError('file-exists', `${path} is there already and was left as it is. Give another name.`);
  writeFileDurably(path, bytes);
}

/** Puts zeros in the place of what a file holds: deleting alone leaves the bytes on the disk until something else needs the room. */
export function overwriteFile(path: string): void {
  const file = openSync(path, 'r+');
  try {
    const zeros = new Uint8Array(fstatSync(file).size);
    for (let offset = 0; offset < zeros.length;) offset += writeSync(file, zeros, offset, zeros.length - offset, offset);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}

/** For a file that something else has written: after it returns, its bytes and its name survive a power cut. */
export function flushFile(path: string): void {
  // Windows flushes only what was opened for writing.
  const file = openSync(path, process.platform === 'win32' ? 'r+' : 'r');
  try {
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
  syncFolder(dirname(path));
}

/** A rename or a deletion is durable only once the folder that holds the name is. Windows cannot open folders and needs no such step. */
export function syncFolder(folder: string): void {
  if (process.platform === 'win32') return;
  const handle = openSync(folder, 'r');
  try {
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
}
