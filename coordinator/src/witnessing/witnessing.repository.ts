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

  /** The same again changes nothing: it is tried again when the answer to a commit was lost. */
  async addOffer(manager: EntityManager, row: OfferRow): Promise<void> {
    await manager.createQueryBuilder().insert().into(OfferEntity).values(row).orIgnore().execute();
  }

  async noteShown(manager: EntityManager, size: number): Promise<void> {
    await manager.update(OfferEntity, { size }, { isShown: true });
  }

  /** With their cosignatures. */
  async dropOffers(manager: EntityManager, sizes: readonly number[]): Promise<void> {
    if (sizes.length > 0) await manager.delete(OfferEntity, { size: In([...sizes]) });
  }

  /** The first of each witness stays, also when the answer to its commit was lost. */
  async addCosignature(manager: EntityManager, row: Omit<CosignatureRow, 'sequence'>): Promise<void> {
    await manager.createQueryBuilder().insert().into(CosignatureEntity).values(row).orIgnore().execute();
  }
}
