import { chmodSync, closeSync, mkdirSync, openSync } from 'node:fs';

/** A folder that nobody but its owner may enter, whatever rights it had before. */
export function privateFolder(path: string): void {
  mkdirSync(path, { recursive: true, mode: 0o700 });
  if (process.platform !== 'win32') chmodSync(path, 0o700);
}

/** Makes the file, empty, if there is none, so that whoever opens it next finds it with rights for its owner only. */
export function privateFile(path: string): void {
  closeSync(openSync(path, 'a', 0o600));
  if (process.platform !== 'win32') chmodSync(path, 0o600);
}
