import { Injectable } from '@nestjs/common';
import { And, type EntityManager, In, LessThan, MoreThanOrEqual } from 'typeorm';
import { CosignatureEntity, type CosignatureRow, OfferEntity, type OfferRow, RollEntity, type RollRow } from './witnessing.entity.js';

@Injectable()
export class WitnessingRepository {
  async addToRoll(manager: EntityManager, row: RollRow): Promise<void> {
    await manager.insert(RollEntity, row);
  }

  /** Of the entries `from` up to and without `to`, in order. */
  roll(manager: EntityManager, from: number, to: number): Promise<RollRow[]> {
    return manager.find(RollEntity, { where: { index: And(MoreThanOrEqual(from), LessThan(to)) }, order: { index: 'ASC' } });
  }

  offers(manager: EntityManager): Promise<OfferRow[]> {
    return manager.find(OfferEntity, { order: { size: 'ASC' } });
  }

  cosignatures(manager: EntityManager): Promise<CosignatureRow[]> {
    return manager.find(CosignatureEntity, { order: { sequence: 'ASC' } });
  }

  /**
   * Offers only grow, whoever makes them: the table is locked until the transaction ends, against others that offer as well.
   * @returns false when as much or more is offered already, also when the answer to a commit was lost and this is the second try
   */
  async addOffer(manager: EntityManager, { size, note, beganMs, isShown }: OfferRow): Promise<boolean> {
    await manager.query('LOCK TABLE checkpoint_offer IN SHARE ROW EXCLUSIVE MODE');
    const rows = (await manager.query(
      `INSERT INTO checkpoint_offer (size, note, began_ms, is_shown) SELECT $1::bigint, $2, $3, $4
       WHERE NOT EXISTS (SELECT FROM checkpoint_offer WHERE size >= $1::bigint) RETURNING size`,
      [size, note, beganMs, isShown],
    )) as unknown[];
    return rows.length === 1;
  }

  /** @returns false when it is not kept any longer */
  async noteShown(manager: EntityManager, size: number): Promise<boolean> {
    return (await manager.update(OfferEntity, { size }, { isShown: true })).affected === 1;
  }

  /** What changes whenever any coordinator appends, offers, shows or takes a cosignature. Counts, since numbers of rows are not committed in their order. */
  async stamp(manager: EntityManager): Promise<{ entries: number; offers: string }> {
    const [row] = (await manager.query(
      `SELECT (SELECT size FROM ledger_head) AS entries, (SELECT count(*) FROM cosignature) AS cosignatures,
         count(*) AS offers, coalesce(max(size), 0) AS newest, count(*) FILTER (WHERE is_shown) AS shown, min(size) AS oldest
       FROM checkpoint_offer`,
    )) as [Record<'entries' | 'cosignatures' | 'offers' | 'newest' | 'shown' | 'oldest', string | null>];
    const { entries, ...offers } = row;
    return { entries: Number(entries), offers: JSON.stringify(offers) };
  }

  /** With their cosignatures. */
  async dropOffers(manager: EntityManager, sizes: readonly number[]): Promise<void> {
    if (sizes.length > 0) await manager.delete(OfferEntity, { size: In([...sizes]) });
  }

  /** The first of each witness stays, also when the answer to its commit was lost. Of an offer that is not kept any longer none is stored. */
  async addCosignature(manager: EntityManager, { size, vkey, line }: Omit<CosignatureRow, 'sequence'>): Promise<void> {
    await manager.query(
      `INSERT INTO cosignature (size, vkey, line) SELECT size, $2, $3 FROM checkpoint_offer WHERE size = $1 ON CONFLICT DO NOTHING`,
      [size, vkey, line],
    );
  }
}
