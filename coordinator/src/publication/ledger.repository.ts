import { Injectable } from '@nestjs/common';
import { type EntityManager, MoreThanOrEqual } from 'typeorm';
import { LedgerEntryEntity, type LedgerEntryRow } from './ledger-entry.entity.js';

/** An entry with the statement that it names, before it has an index. */
export type NewEntry = Omit<LedgerEntryRow, 'index'>;

@Injectable()
export class LedgerRepository {
  /**
   * Appends in the caller's transaction: the acts and their entries exist together or not at all. One statement, however many.
   * @returns the index of the first; the others follow it
   */
  async append(manager: EntityManager, entries: readonly NewEntry[]): Promise<number> {
    const [row] = (await manager.query(
      `WITH head AS (UPDATE ledger_head SET size = size + $1 RETURNING size - $1 AS first),
       appended AS (
         INSERT INTO ledger_entry (index, entry, payload)
         SELECT head.first + new.place - 1, new.entry, new.payload
         FROM head, unnest($2::bytea[], $3::bytea[]) WITH ORDINALITY AS new (entry, payload, place)
       )
       SELECT first FROM head`,
      [entries.length, entries.map(({ entry }) => entry), entries.map(({ payload }) => payload)],
    )) as [{ first: string }];
    return Number(row.first);
  }

  /** Entries from `start` on, in order. */
  entries(manager: EntityManager, start: number, limit: number): Promise<LedgerEntryRow[]> {
    return manager.find(LedgerEntryEntity, { where: { index: MoreThanOrEqual(start) }, order: { index: 'ASC' }, take: limit });
  }

  /** As {@link entries}, without the statements, which are several times larger. */
  bodies(manager: EntityManager, start: number, limit: number): Promise<Pick<LedgerEntryRow, 'index' | 'entry'>[]> {
    return manager.find(LedgerEntryEntity, {
      select: { index: true, entry: true },
      where: { index: MoreThanOrEqual(start) },
      order: { index: 'ASC' },
      take: limit,
    });
  }

  /** The first entry over a statement with this SHA-256 (32 bytes). */
  async find(manager: EntityManager, payloadDigest: Uint8Array): Promise<Pick<LedgerEntryRow, 'index' | 'payload'> | undefined> {
    const [row] = (await manager.query('SELECT index, payload FROM ledger_entry WHERE sha256(payload) = $1 ORDER BY index LIMIT 1', [
      Buffer.from(payloadDigest),
    ])) as { index: string; payload: Buffer }[];
    return row && { index: Number(row.index), payload: row.payload };
  }

  /** As {@link size}; nobody appends until the transaction ends. */
  async lockedSize(manager: EntityManager): Promise<number> {
    const [head] = (await manager.query('SELECT size FROM ledger_head FOR UPDATE')) as [{ size: string }];
    return Number(head.size);
  }

  /** How many entries the database says that it has; a row that was deleted since still counts. */
  async size(manager: EntityManager): Promise<number> {
    const [head] = (await manager.query('SELECT size FROM ledger_head')) as [{ size: string }];
    return Number(head.size);
  }
}
