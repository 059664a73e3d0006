import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { ModelStateEntity, type ModelStateRow } from './model-state.entity.js';

@Injectable()
export class ModelRepository {
  /** What the run has learnt last. */
  latest(manager: EntityManager, run: string): Promise<ModelStateRow | null> {
    return manager.findOne(ModelStateEntity, { where: { run }, order: { round: 'DESC' } });
  }

  async save(manager: EntityManager, row: ModelStateRow): Promise<void> {
    await manager.insert(ModelStateEntity, row);
  }
}
