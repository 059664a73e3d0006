import { HASH_BYTES, type HashTile, TILE_WIDTH, tilePath } from '@coferment/ledger';

/** Where a full tile lies. */
export type TilePlace = Pick<HashTile, 'level' | 'index'>;

export const TILE_BYTES = TILE_WIDTH * HASH_BYTES;

/** The name of a full tile, in messages and as a key. */
export function fullPath({ level, index }: TilePlace): string {
  return tilePath({ level, index, width: TILE_WIDTH });
}
