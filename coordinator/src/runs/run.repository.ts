import { Injectable } from '@nestjs/common';
import { type EntityManager, MoreThan } from 'typeorm';
import { EpochEntity, type EpochRow } from '../epochs/epoch.entity.js';
import { RoundEntity, type RoundRow } from '../rounds/round.entity.js';
import { PlanEntity } from '../plans/plan.entity.js';
import { ActEntity, type ActRow } from './act.entity.js';
import { EventEntity, type EventRow } from './event.entity.js';
import { RunEntity, type RunRow } from './run.entity.js';

const EVENTS_AT_ONCE = 500;

@Injectable()
export class RunRepository {
  run(manager: EntityManager, run: string): Promise<RunRow | null> {
    return manager.findOneBy(RunEntity, { run });
  }

  /** Locked until the transaction ends: changes of one run are one after the other. */
  lockRun(manager: EntityManager, run: string): Promise<RunRow | null> {
    return manager.findOne(RunEntity, { where: { run }, lock: { mode: 'pessimistic_write' } });
  }

  runs(manager: EntityManager): Promise<RunRow[]> {
    return manager.find(RunEntity, { order: { openedMs: 'ASC', run: 'ASC' } });
  }

  /** The plan stays locked until the transaction ends: two launches at once would otherwise get one number, and the second would write over the first. */
  async runsOfPlan(manager: EntityManager, plan: string): Promise<number> {
    await manager.findOne(PlanEntity, { where: { digest: plan }, lock: { mode: 'pessimistic_write' } });
    return manager.countBy(RunEntity, { plan });
  }

  async saveRun(manager: EntityManager, row: RunRow): Promise<void> {
    await manager.save(RunEntity, row);
  }

  epochs(manager: EntityManager, run: string): Promise<EpochRow[]> {
    return manager.find(EpochEntity, { where: { run }, order: { epoch: 'ASC' } });
  }

  async saveEpoch(manager: EntityManager, row: EpochRow): Promise<void> {
    await manager.save(EpochEntity, row);
  }

  rounds(manager: EntityManager, run: string): Promise<RoundRow[]> {
    return manager.find(RoundEntity, { where: { run }, order: { sum: 'ASC' } });
  }

  async saveRound(manager: EntityManager, row: RoundRow): Promise<void> {
    await manager.save(RoundEntity, row);
  }

  acts(manager: EntityManager, run: string, after: number): Promise<ActRow[]> {
    return manager.find(ActEntity, { where: { run, sequence: MoreThan(after) }, order: { sequence: 'ASC' } });
  }

  async addAct(manager: EntityManager, row: Omit<ActRow, 'sequence'>): Promise<void> {
    await manager.insert(ActEntity, row);
  }

  events(manager: EntityManager, run: string, after: number): Promise<EventRow[]> {
    return manager.find(EventEntity, { where: { run, sequence: MoreThan(after) }, order: { sequence: 'ASC' }, take: EVENTS_AT_ONCE });
  }

  async addEvent(manager: EntityManager, row: Omit<EventRow, 'sequence'>): Promise<void> {
    await manager.insert(EventEntity, row);
  }
}
