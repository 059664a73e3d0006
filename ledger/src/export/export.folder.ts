import { closeSync, constants, existsSync, fstatSync, openSync, readFileSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { ReadFile, WriteFile } from '../tiles/index.js';
import { maxBytesOf } from './resource.limits.js';

const OBJECTS = 'objects/';

/** Without waiting for whoever writes into a pipe, and not through a link: where that leads is no part of the export. (Windows has neither.) */
const OPEN_FLAGS = constants.O_RDONLY | (constants.O_NONBLOCK ?? 0) | (constants.O_NOFOLLOW ?? 0);

/** Knows its folder, so that whoever checks on several threads can read it from each of them. */
export type FolderReader = ReadFile & { readonly folder: string };

/**
 * Reads an exported ledger from a folder. Paths are made by this package, never taken from the export. It reads at once instead of giving a promise: for
 * the million small files of a large ledger that takes a fifth of the time. Whoever made the folder may have put anything into it, so only plain files are read,
 * and none that is larger than what stands there can be.
 */
export function readFolder(folder: string): FolderReader {
  const read = (path: string): Uint8Array | undefined => {
    const target = join(folder, path);
    // Objects usually stay behind, and an exception costs ten times as much as an answer; everything else is usually there.
    if (path.startsWith(OBJECTS) && !existsSync(target)) return undefined;
    try {
      return readPlainFile(target, maxBytesOf(path));
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
      throw error;
    }
  };
  return Object.assign(read, { folder });
}

/** @throws Error for a person to read */
function readPlainFile(target: string, maxBytes: number): Uint8Array {
  const file = openPlainFile(target);
  try {
    const found = fstatSync(file);
    if (!found.isFile()) throw notAFile(target);
    if (found.size > maxBytes)
      throw new Error(`"${target}" has ${found.size} bytes; nothing there can have more than ${maxBytes}, so it was not read`);
    return readFileSync(file);
  } finally {
    closeSync(file);
  }
}

function openPlainFile(target: string): number {
  try {
    return openSync(target, OPEN_FLAGS);
  } catch (error) {
    if (['ELOOP', 'EMLINK', 'ENXIO'].includes((error as NodeJS.ErrnoException).code ?? '')) throw notAFile(target);
    throw error;
  }
}

/** A link, a folder, a pipe or a device, in the place of a file of an export. */
export function notAFile(target: string): Error {
  return new Error(`"${target}" is not a plain file, so it was not read; export the ledger again`);
}

/** The folder that a reader reads, if it reads one. */
export function folderOf(read: ReadFile): string | undefined {
  return 'folder' in read && typeof read.folder === 'string' ? read.folder : undefined;
}

export function writeFolder(folder: string): WriteFile {
  return async (path, bytes) => {
    const target = join(folder, path);
    await mkdir(dirname(target), { recursive: true });
    await writeFile(target, bytes);
  };
}
