import { type StrategyState, describeModel, modelBytes, modelDigest, modelFromBytes } from '@coferment/consortium';
import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { ObjectService } from '../objects/object.service.js';
import { ObjectStore } from '../objects/object.store.js';
import { Database } from '../persistence/database.js';
import type { RunView } from '../runs/run.view.js';
import type { ModelStateRow } from './model-state.entity.js';
import { ModelRepository } from './model.repository.js';

/** A strategy state whose model is stored as an object; the row still has to be. */
export interface StoredState {
  state: StrategyState;
  row: ModelStateRow;
}

/** What runs have learnt, round by round. */
@Injectable()
export class ModelService {
  constructor(
    private readonly database: Database,
    private readonly repository: ModelRepository,
    private readonly objects: ObjectService,
    private readonly store: ObjectStore,
  ) {}

  /** The state that the next sum of this run starts from, or undefined before the statistics. */
  async current(view: RunView): Promise<StoredState | undefined> {
    const row = await this.database.transaction((manager) => this.repository.latest(manager, view.run.run));
    if (row === null) return undefined;
    const model = modelFromBytes(describeModel(view.plan), this.store.read(row.object));
    const { round, ranges, weightCap, normalisation } = row;
    return { state: { round, model, ranges, weightCap, normalisation }, row };
  }

  /** Writes the model's bytes. Before the transaction that stores the row, never in it. */
  async prepare(view: RunView, state: StrategyState): Promise<StoredState> {
    const object = await this.objects.publish(modelBytes(state.model));
    const { round, ranges, weightCap, normalisation } = state;
    const model = modelDigest(describeModel(view.plan), state.model);
    return { state, row: { run: view.run.run, round, model, object, ranges, weightCap, normalisation } };
  }

  async save(manager: EntityManager, { row }: StoredState): Promise<void> {
    await this.repository.save(manager, row);
  }
}
