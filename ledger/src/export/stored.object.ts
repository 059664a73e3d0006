import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { join } from 'node:path';
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

/** Reads the whole file once, a piece at a time: a ciphertext may be larger than memory. */
export async function stateOf(folder: string, { digest, size }: Pick<NamedObject, 'digest' | 'size'>): Promise<ObjectState> {
  const hash = createHash('sha256');
  let read = 0;
  try {
    for await (const piece of createReadStream(join(folder, objectPath(digest))) as AsyncIterable<Buffer>) {
      hash.update(piece);
      read += piece.length;
    }
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') return { state: 'missing' };
    throw error;
  }
  const found = hash.digest('hex');
  return found === digest && (size === undefined || size === read) ? { state: 'right' } : { state: 'changed', found, size: read };
}
