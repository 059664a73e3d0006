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

  async addOffer(manager: EntityManager, row: OfferRow): Promise<void> {
    await manager.insert(OfferEntity, row);
  }

  /** With their cosignatures. */
  async dropOffers(manager: EntityManager, sizes: readonly number[]): Promise<void> {
    if (sizes.length > 0) await manager.delete(OfferEntity, { size: In([...sizes]) });
  }

  async addCosignature(manager: EntityManager, row: Omit<CosignatureRow, 'sequence'>): Promise<void> {
    await manager.insert(CosignatureEntity, row);
  }
}
