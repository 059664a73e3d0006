import { createHash } from 'node:crypto';
import { createReadStream, lstatSync } from 'node:fs';
import { join } from 'node:path';
import { notAFile } from './export.folder.js';
import { objectPath } from './ledger.export.js';

/** An object that statements name, and what is known of it before it is read. */
export interface NamedObject {
  /** For messages: `the upload of "alpha"`. */
  readonly what: string;
  /** Where it is named: `entry 12 (contribution)`. */
  readonly entry: string;
  /** Lower-case hex SHA-256. */
  readonly digest: string;
  /** Bytes, where they follow from the plan. */
  readonly size: number | undefined;
}

export type ObjectState = { state: 'right' } | { state: 'missing' } | { state: 'changed'; found: string; size: number };

/**
 * Reads the whole file once, a piece at a time: a ciphertext may be larger than memory.
 * @throws Error for what is no plain file
 */
export async function stateOf(folder: string, { digest, size }: Pick<NamedObject, 'digest' | 'size'>): Promise<ObjectState> {
  const path = join(folder, objectPath(digest));
  // Objects usually stay behind, and an exception costs ten times as much as an answer.
  const there = lstatSync(path, { throwIfNoEntry: false });
  if (!there) return { state: 'missing' };
  if (!there.isFile()) throw notAFile(path);
  const hash = createHash('sha256');
  let read = 0;
  for await (const piece of createReadStream(path) as AsyncIterable<Buffer>) {
    hash.update(piece);
    read += piece.length;
  }
  const found = hash.digest('hex');
  return found === digest && (size === undefined || size === read) ? { state: 'right' } : { state: 'changed', found, size: read };
}
