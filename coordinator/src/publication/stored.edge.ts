import { TILE_WIDTH, TileEdge, levelCount, tileRoot } from '@coferment/ledger';
import type { EntityManager } from 'typeorm';
import { damaged } from './ledger.damage.js';
import { TILE_BYTES, fullPath } from './tile.place.js';
import type { TileRepository } from './tile.repository.js';

/**
 * The right edge as far as full tiles of leaves are stored, read from at most 255 tiles a level: a start takes as long with a million entries as with
 * a hundred thousand. What it says is compared with the published checkpoint afterwards.
 * @throws CoordinatorError 'ledger-damaged'
 */
export async function storedEdge(manager: EntityManager, tiles: TileRepository): Promise<TileEdge> {
  const size = (await tiles.count(manager)) * BigInt(TILE_WIDTH);
  const levels: Uint8Array[][] = [];
  for (let level = 0; level < levelCount(size); level++) {
    const end = size >> BigInt(8 * level);
    const begin = end - (end % BigInt(TILE_WIDTH));
    levels.push(level === 0 ? [] : await roots(manager, tiles, level - 1, begin, end));
  }
  return TileEdge.resume(size, levels);
}

async function roots(manager: EntityManager, tiles: TileRepository, level: number, begin: bigint, end: bigint): Promise<Uint8Array[]> {
  const wanted = Array.from({ length: Number(end - begin) }, (_, place) => ({ level, index: begin + BigInt(place) }));
  const found = await tiles.get(manager, wanted);
  return wanted.map((place) => tileRoot(requireTile(fullPath(place), found.get(fullPath(place)))));
}

/** @throws CoordinatorError 'ledger-damaged' unless it is a full tile */
export function requireTile(path: string, hashes: Uint8Array | undefined): Uint8Array {
  if (hashes?.length === TILE_BYTES) return hashes;
  throw damaged(
    hashes === undefined
      ? `${path} is missing from the database.`
      : `${path} has ${hashes.length} bytes in the database instead of ${TILE_BYTES}.`,
  );
}
