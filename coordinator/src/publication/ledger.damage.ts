import { type FullTile, HASH_BYTES, TILE_WIDTH } from '@coferment/ledger';
import { CoordinatorError } from '../errors/index.js';
import { fullPath } from './tile.place.js';

/** What an operator can do about a row that is not what it was. It stands in every message about one. */
const NEXT = 'Stop the coordinator and run `coferment ledger check --data DIR`: it names every such row. Restore them from a backup.';

export function damaged(what: string): CoordinatorError {
  return new CoordinatorError('ledger-damaged', `${what} ${NEXT}`);
}

/** What is wrong with a stored tile, beside what the rows below it give; undefined when nothing is. */
export function tileDifference({ level, index, hashes }: FullTile, stored: Uint8Array | undefined): string | undefined {
  const path = fullPath({ level, index });
  if (stored === undefined) return `${path} is missing from the database.`;
  if (stored.length !== hashes.length) return `${path} has ${stored.length} bytes in the database instead of ${hashes.length}.`;
  for (let position = 0; position < TILE_WIDTH; position++) {
    const [begin, end] = [position * HASH_BYTES, (position + 1) * HASH_BYTES];
    if (Buffer.compare(stored.subarray(begin, end), hashes.subarray(begin, end)) === 0) continue;
    const place = index * BigInt(TILE_WIDTH) + BigInt(position);
    const giver = level === 0 ? `entry ${place}` : fullPath({ level: level - 1, index: place });
    return `Hash ${position} of ${path} and ${giver} do not agree: one of the two rows was changed.`;
  }
  return undefined;
}
