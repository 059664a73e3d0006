import { firstDifference, hashAt } from '../tiles/index.js';
import { HASH_BYTES } from '../tree/index.js';

/** How an entry is not the one that was logged in its place. */
export type EntryDifference = { readonly index: number } & (
  | { readonly is: 'changed' | 'missing' | 'inserted' | 'doubled' }
  /** It was logged in another place. */
  | { readonly is: 'moved'; readonly from: number }
);

/**
 * Compares the leaf hashes of a bundle with those of its hash tile, which is stored on its own: whoever changes entries and not tiles shows which.
 * A missing or an additional entry moves all that follow, so it is the only one that is told.
 * @param first index of the first entry of the bundle
 * @param limit of how many are told
 */
export function entryDifferences(leaves: Uint8Array, logged: Uint8Array, first: number, limit: number): EntryDifference[] {
  const start = firstDifference(leaves, logged);
  if (start === undefined) return [];
  const index = first + start;
  const [after, loggedAfter] = [tail(leaves, start + 1), tail(logged, start + 1)];
  if (beginsAlike(tail(leaves, start), loggedAfter)) return [{ index, is: 'missing' }];
  if (beginsAlike(after, tail(logged, start))) {
    const repeats = start > 0 && same(hashAt(leaves, start), hashAt(leaves, start - 1));
    return [{ index, is: repeats ? 'doubled' : 'inserted' }];
  }
  const places = new Map(Array.from({ length: logged.length / HASH_BYTES }, (_, position) => [nameOf(hashAt(logged, position)), position]));
  const found: EntryDifference[] = [];
  const count = Math.max(leaves.length, logged.length) / HASH_BYTES;
  for (let position = start; position < count && found.length < limit; position++) {
    const leaf = hashAt(leaves, position);
    if (same(leaf, hashAt(logged, position))) continue;
    const from = places.get(nameOf(leaf));
    if (leaf.length === 0) found.push({ index: first + position, is: 'missing' });
    else found.push({ index: first + position, ...(from === undefined ? { is: 'changed' } : { is: 'moved', from: first + from }) });
  }
  return found;
}

export function differenceText(difference: EntryDifference): string {
  switch (difference.is) {
    case 'changed':
      return 'it was changed after it was logged';
    case 'missing':
      return 'it was removed; the entries after it stand one place too early';
    case 'inserted':
      return 'it was inserted; the entries after it stand one place too late';
    case 'doubled':
      return `it repeats entry ${difference.index - 1}; the entries after it stand one place too late`;
    case 'moved':
      return `it was logged as entry ${difference.from}, and stands in another place now`;
  }
}

function tail(hashes: Uint8Array, position: number): Uint8Array {
  return hashes.subarray(position * HASH_BYTES);
}

/** Whether two lists agree as far as both go. Two hashes at least: a single one that stands one place off is no shift. */
function beginsAlike(left: Uint8Array, right: Uint8Array): boolean {
  const length = Math.min(left.length, right.length);
  return length >= 2 * HASH_BYTES && same(left.subarray(0, length), right.subarray(0, length));
}

const same = (left: Uint8Array, right: Uint8Array) => Buffer.compare(left, right) === 0;
const nameOf = (hash: Uint8Array) => Buffer.from(hash).toString('latin1');
