import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { ObjectService } from '../objects/object.service.js';
import { Database } from '../persistence/database.js';
import type { RunView } from '../runs/run.view.js';
import type { ModelStateRow } from './model-state.entity.js';
import { ModelRepository } from './model.repository.js';

/** What runs have learnt, round by round. Models stay in their files: here they are only named. */
@Injectable()
export class ModelService {
  constructor(
    private readonly database: Database,
    private readonly repository: ModelRepository,
    private readonly objects: ObjectService,
  ) {}

  /** The state that the next sum of this run starts from, or undefined before the statistics. */
  async current(view: RunView): Promise<ModelStateRow | undefined> {
    return (await this.database.transaction((manager) => this.repository.latest(manager, view.run.run))) ?? undefined;
  }

  /** Publishes a model from the draft it was written to. Before the transaction that stores the row, never in it. */
  async adopt(view: RunView, facts: Omit<ModelStateRow, 'run' | 'object'>, draft: string): Promise<ModelStateRow> {
    const object = await this.objects.publishDraft(draft);
    const { round, model, ranges, weightCap, normalisation } = facts;
    return { run: view.run.run, round, model, object, ranges, weightCap, normalisation };
  }

  async save(manager: EntityManager, row: ModelStateRow): Promise<void> {
    await this.repository.save(manager, row);
  }
}
