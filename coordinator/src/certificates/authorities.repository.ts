import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { AuthoritiesEntity, type AuthoritiesRow } from './authorities.entity.js';

@Injectable()
export class AuthoritiesRepository {
  /** Sequence number of the newest act; 0 before the first. */
  async newest(manager: EntityManager): Promise<number> {
    return (await manager.maximum(AuthoritiesEntity, 'sequence')) ?? 0;
  }

  find(manager: EntityManager, sequence: number): Promise<AuthoritiesRow | null> {
    return manager.findOneBy(AuthoritiesEntity, { sequence });
  }

  async insert(manager: EntityManager, row: AuthoritiesRow): Promise<void> {
    await manager.insert(AuthoritiesEntity, row);
  }
}
