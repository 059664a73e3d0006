import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { chmod, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { create } from 'tar';

/** No build of today has anything to tell by its time; 2020-01-01 is one that every tool accepts. */
const FIXED_TIME = new Date('2020-01-01T00:00:00Z');

/** Files of a folder, by path with "/", in the order of their bytes. */
export async function filesOf(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1))
    .sort();
}

/** In the format of `sha256sum`, which also checks it. */
export async function sumsText(folder: string, files: readonly string[]): Promise<string> {
  const lines: string[] = [];
  for (const file of files) lines.push(`${await sha256(join(folder, file))}  ${file}\n`);
  return lines.join('');
}

export async function sha256(file: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(file), hash);
  return hash.digest('hex');
}

/**
 * Packs `<parent>/<name>` so that the same files give the same bytes wherever and whenever: entries sorted, one time, no owners, two modes. (The
 * compression is zlib's of the running Node: another Node or processor may pack the same entries into other bytes.)
 * @returns the number of files.
 */
export async function writeArchive(parent: string, name: string, archive: string, programs: ReadonlySet<string>): Promise<number> {
  const files = await filesOf(join(parent, name));
  for (const file of files) await chmod(join(parent, name, file), programs.has(file) ? 0o755 : 0o644);
  await create(
    { file: archive, cwd: parent, gzip: { level: 6 }, portable: true, noDirRecurse: true, mtime: FIXED_TIME },
    files.map((file) => `${name}/${file}`),
  );
  return files.length;
}

/** CONTENTS.sha256: what an installed folder can be checked against at any time. */
export async function writeContents(folder: string): Promise<void> {
  await writeFile(join(folder, CONTENTS), await sumsText(folder, await filesOf(folder)));
}

export const CONTENTS = 'CONTENTS.sha256';
