import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { PlanEntity, type PlanRow } from './plan.entity.js';

@Injectable()
export class PlanRepository {
  find(manager: EntityManager, digest: string): Promise<PlanRow | null> {
    return manager.findOneBy(PlanEntity, { digest });
  }

  async save(manager: EntityManager, row: PlanRow): Promise<void> {
    await manager.insert(PlanEntity, row);
  }
}
