import { CryptoError } from '../crypto.error.js';

/** SHA-256 in hexadecimal by path; paths are relative, with slashes. */
export type Checksums = ReadonlyMap<string, string>;

const LINE = /^([0-9a-f]{64}) {2}([^\\\r]+)$/;

/** A list as `sha256sum` writes and `sha256sum --check` reads it, so that a backup can be checked without Coferment. */
export function formatChecksums(checksums: Checksums): string {
  const lines = [...checksums].sort(([a], [b]) => (a < b ? -1 : 1)).map(([path, digest]) => `${digest}  ${path}\n`);
  const text = lines.join('');
  parseChecksums(text);
  return text;
}

/** @throws CryptoError 'malformed' for what is no such list, and for paths that lead out of the folder */
export function parseChecksums(text: string): Checksums {
  const lines = text.split('\n');
  if (lines.pop() !== '') throw new CryptoError('malformed', 'the list of checksums does not end with a whole line');
  const found = new Map<string, string>();
  for (const line of lines) {
    const [, digest, path] = LINE.exec(line) ?? [];
    if (digest === undefined || path === undefined || !staysInside(path) || found.has(path))
      throw new CryptoError('malformed', `the list of checksums has a line that is none: ${JSON.stringify(line.slice(0, 120))}`);
    found.set(path, digest);
  }
  return found;
}

/** What differs first between a list and what is there, or undefined. A file too many counts too: it would be restored unchecked. */
export function checksumFault(listed: Checksums, found: Checksums): string | undefined {
  for (const [path, digest] of listed) {
    if (!found.has(path)) return `${path} is missing`;
    if (found.get(path) !== digest) return `${path} was altered`;
  }
  const extra = [...found.keys()].find((path) => !listed.has(path));
  return extra === undefined ? undefined : `${extra} is not on its list of checksums`;
}

function staysInside(path: string): boolean {
  return !/^[a-z]:/i.test(path) && path.split('/').every((part) => part !== '' && part !== '.' && part !== '..');
}
