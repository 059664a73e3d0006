import type { FullTile } from '@coferment/ledger';
import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { damaged, tileDifference } from './ledger.damage.js';
import { type TilePlace, fullPath } from './tile.place.js';

/** Full hash tiles: 8,192 bytes each, written once and never changed. */
@Injectable()
export class TileRepository {
  /**
   * Stores tiles that are not there yet. One that is there must be the same: after a kill, or when another coordinator on this database was faster.
   * @throws CoordinatorError 'ledger-damaged' naming the first hash that differs
   */
  async put(manager: EntityManager, tiles: readonly FullTile[]): Promise<void> {
    if (tiles.length === 0) return;
    const stored = (await manager.query(
      `INSERT INTO ledger_tile (level, index, hashes) SELECT * FROM unnest($1::integer[], $2::bigint[], $3::bytea[])
       ON CONFLICT DO NOTHING RETURNING level`,
      [...places(tiles), tiles.map(({ hashes }) => Buffer.from(hashes))],
    )) as unknown[];
    if (stored.length === tiles.length) return;
    const found = await this.get(manager, tiles);
    for (const tile of tiles) {
      const difference = tileDifference(tile, found.get(fullPath(tile)));
      if (difference !== undefined) throw damaged(difference);
    }
  }

  /** Those of the tiles that are there, by their path. */
  async get(manager: EntityManager, tiles: readonly TilePlace[]): Promise<Map<string, Uint8Array>> {
    const rows = (await manager.query(
      `SELECT level, index, hashes FROM ledger_tile
       JOIN unnest($1::integer[], $2::bigint[]) AS wanted (level, index) USING (level, index)`,
      places(tiles),
    )) as { level: number; index: string; hashes: Buffer }[];
    return new Map(rows.map(({ level, index, hashes }) => [fullPath({ level, index: BigInt(index) }), new Uint8Array(hashes)]));
  }

  /** One more than the last tile of leaves. */
  async count(manager: EntityManager): Promise<bigint> {
    const [row] = (await manager.query('SELECT coalesce(max(index) + 1, 0) AS tiles FROM ledger_tile WHERE level = 0')) as [
      { tiles: string },
    ];
    return BigInt(row.tiles);
  }
}

function places(tiles: readonly TilePlace[]): [number[], string[]] {
  return [tiles.map(({ level }) => level), tiles.map(({ index }) => index.toString())];
}
