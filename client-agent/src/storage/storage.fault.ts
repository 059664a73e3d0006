import { randomBytes } from 'node:crypto';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const ERRNOS: ReadonlySet<string> = new Set(['ENOSPC', 'EDQUOT', 'EROFS', 'EIO', 'EMFILE', 'ENFILE', 'ESTALE']);

/** Result codes of SQLite that tell of the disk under it, https://www.sqlite.org/rescode.html; an extended code keeps them in its low byte. */
const SQLITE: Readonly<Record<number, string>> = { 8: 'read-only', 10: 'EIO', 13: 'ENOSPC', 14: 'cannot open' };

/** What an agent could not store its next step for; undefined for every other error. */
export function storageFaultOf(error: unknown): string | undefined {
  for (let current: unknown = error, depth = 0; current instanceof Error && depth < 8; current = current.cause, depth++) {
    const { code, errcode } = current as { code?: unknown; errcode?: unknown };
    if (typeof code === 'string' && ERRNOS.has(code)) return code;
    if (code === 'ERR_SQLITE_ERROR' && typeof errcode === 'number') return SQLITE[errcode & 0xff];
  }
  return undefined;
}

/** The least that a step writes: less would find room on a disk that holds no upload. */
const PROBE_BYTES = 65_536;

/** Tries to write in a folder. @returns why it cannot be done; undefined where it can */
export function folderFault(folder: string): string | undefined {
  const probe = join(folder, `.probe-${process.pid}`);
  try {
    writeFileSync(probe, randomBytes(PROBE_BYTES), { mode: 0o600, flush: true });
    return undefined;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code ?? 'unknown';
  } finally {
    removeQuietly(probe);
  }
}

function removeQuietly(path: string): void {
  try {
    rmSync(path, { force: true });
  } catch {
    // Where nothing can be written, nothing was.
  }
}

/** For people: what is wrong with the folder of a site, and what to do. */
export function storageText(folder: string, fault: string): string {
  const what =
    fault === 'ENOSPC' || fault === 'EDQUOT'
      ? `There is no room left in ${folder} (${fault}). Make room there`
      : `Nothing can be stored in ${folder} (${fault}). Look at the disk, at how it is mounted and at the rights of the folder`;
  return `${what}. Nothing is signed or sent before it is stored, so this site waits; it goes on by itself.`;
}
