import { Injectable } from '@nestjs/common';
import { CoordinatorError } from '../errors/index.js';
import { ConsortiumIdentity } from '../identity/consortium.identity.js';
import { Database } from '../persistence/database.js';
import { PublicationService } from '../publication/publication.service.js';
import { ChangeNotifier } from '../telemetry/change.notifier.js';
import { Clock } from '../telemetry/clock.js';
import { RunChange } from './run.change.js';
import type { RunRow } from './run.entity.js';
import { RunRepository } from './run.repository.js';

/** The run was changed by somebody else since the decision was made: read it again and decide anew. Whoever does not, passes it on to the caller, who may. */
export class StaleRun extends CoordinatorError {
  constructor(run: string, is: number, expected: number) {
    super(
      'unavailable',
      `Run ${run} was changed at the same moment, perhaps by another coordinator: it is at version ${is}, not ${expected}. Nothing was changed by this call; try again.`,
    );
  }
}

/**
 * Changes runs: one transaction each for state, acts, ledger entries and events; what is sent comes after the commit. The entries come last, in one statement: the
 * end of the ledger is one row that all transactions want.
 */
@Injectable()
export class RunChanges {
  constructor(
    private readonly database: Database,
    private readonly repository: RunRepository,
    private readonly publication: PublicationService,
    private readonly identity: ConsortiumIdentity,
    private readonly notifier: ChangeNotifier,
    private readonly clock: Clock,
  ) {}

  /** @param version the version that the decision was made on. @throws StaleRun, CoordinatorError 'unknown-run' */
  async apply<T>(run: string, version: number, work: (change: RunChange) => Promise<T>): Promise<T> {
    const result = await this.database.transaction(async (manager) => {
      const row = await this.repository.lockRun(manager, run);
      if (row === null) throw new CoordinatorError('unknown-run', `There is no run "${run}".`);
      if (row.version !== version) throw new StaleRun(run, row.version, version);
      const change = new RunChange(manager, row, this.clock.nowMs(), this.repository, this.identity.operator);
      const answer = await work(change);
      await this.repository.saveRun(manager, { ...change.run, version: version + 1 });
      await this.publication.appendAll(manager, change.ledgerEntries);
      return answer;
    });
    await this.#committed();
    return result;
  }

  /** Opens a run: the row first, then the same rules as for any other change. */
  async open<T>(row: (numberOfRuns: number, nowMs: number) => RunRow, plan: string, work: (change: RunChange) => Promise<T>): Promise<T> {
    const result = await this.database.transaction(async (manager) => {
      const opened = row(await this.repository.runsOfPlan(manager, plan), this.clock.nowMs());
      await this.repository.saveRun(manager, opened);
      const change = new RunChange(manager, opened, this.clock.nowMs(), this.repository, this.identity.operator);
      const answer = await work(change);
      await this.repository.saveRun(manager, { ...change.run });
      await this.publication.appendAll(manager, change.ledgerEntries);
      return answer;
    });
    await this.#committed();
    return result;
  }

  async #committed(): Promise<void> {
    await this.publication.follow();
    this.notifier.changed();
  }
}
