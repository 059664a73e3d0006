const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
/** Longer than any kept-up upload pauses. Nothing is lost with it: whoever still sends the object starts it again. */
const ABANDONED_MS = 7 * DAY_MS;

/** `draft` is what is arriving and what the coordinator writes before it has a name. */
export type StoredKind = 'object' | 'leaves' | 'draft';

/** A file of the store, as it was found. */
export interface StoredFile {
  kind: StoredKind;
  name: string;
  size: number;
  /** When it was last written. */
  writtenMs: number;
}

const DIGEST = /^[0-9a-f]{64}$/;
/** `<sender>.<digest>`, with what else stands behind it. */
const UPLOAD = /^[^@.][^.]*\.([0-9a-f]{64})/;

/** What the store keeps by this name, or undefined for what is none of its files: somebody else's, which is never touched. */
export function kindOfObject(name: string): StoredKind | undefined {
  if (DIGEST.test(name)) return 'object';
  return /^probe-[0-9a-f]{16}$/.test(name) ? 'draft' : undefined;
}

/** The object that a file is, or is of, or is to become; undefined for a draft that has no digest yet. */
export function digestIn({ kind, name }: Pick<StoredFile, 'kind' | 'name'>): string | undefined {
  return kind === 'draft' ? UPLOAD.exec(name)?.[1] : name;
}

/**
 * Whether nothing needs a file any more. Files come before the rows that name them, and every file's age begins when it gets its name: a young one may belong
 * to a row that is being written.
 * @param named digests of objects that rows name, read AFTER the file was found
 */
export function isOrphan(file: StoredFile, named: ReadonlySet<string>, nowMs: number): boolean {
  const ageMs = nowMs - file.writtenMs;
  const digest = digestIn(file);
  switch (file.kind) {
    case 'object':
    case 'leaves':
      return digest !== undefined && !named.has(digest) && ageMs > DAY_MS;
    case 'draft':
      if (digest === undefined) return ageMs > DAY_MS;
      // Whole already, from another stream or at another coordinator.
      return ageMs > (named.has(digest) ? HOUR_MS : ABANDONED_MS);
  }
}
