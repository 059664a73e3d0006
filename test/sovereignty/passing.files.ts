import { readFileSync, statSync } from 'node:fs';

/** Programs run while their folders are searched: a file that is gone by the time it is looked at was one that came and went. @returns undefined for it, and for a folder */
export function bytesOf(path: string): Buffer | undefined {
  try {
    return statSync(path).isFile() ? readFileSync(path) : undefined;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}
