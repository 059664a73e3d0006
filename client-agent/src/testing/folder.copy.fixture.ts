import { chmodSync, cpSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

/** As `cp -a` copies a data folder: Node's own copy opens folders to everybody, and keys in such a one are not opened. */
export function copyFolder(from: string, to: string): void {
  cpSync(from, to, { recursive: true });
  const entries = readdirSync(to, { recursive: true, withFileTypes: true }).filter((entry) => entry.isDirectory());
  for (const folder of [to, ...entries.map((entry) => join(entry.parentPath, entry.name))]) chmodSync(folder, 0o700);
}
