import { Injectable } from '@nestjs/common';
import { type EntityManager, MoreThanOrEqual } from 'typeorm';
import { LedgerEntryEntity, type LedgerEntryRow } from './ledger-entry.entity.js';

@Injectable()
export class LedgerRepository {
  /** Appends in the caller's transaction: the act and its entry exist together or not at all. Returns the entry's index. */
  async append(manager: EntityManager, entry: Uint8Array, payload: Uint8Array): Promise<number> {
    // TypeORM answers an UPDATE with [rows, count].
    const [rows] = (await manager.query('UPDATE ledger_head SET size = size + 1 RETURNING size')) as [{ size: string }[], number];
    const index = Number(rows[0]!.size) - 1;
    await manager.insert(LedgerEntryEntity, { index, entry: Buffer.from(entry), payload: Buffer.from(payload) });
    return index;
  }

  /** Entries from `start` on, in order. */
  entries(manager: EntityManager, start: number, limit: number): Promise<LedgerEntryRow[]> {
    return manager.find(LedgerEntryEntity, { where: { index: MoreThanOrEqual(start) }, order: { index: 'ASC' }, take: limit });
  }
}
