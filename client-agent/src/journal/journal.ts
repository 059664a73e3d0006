import type { Identity } from '@coferment/crypto';
import { AgentError } from '../agent.error.js';
import { ActivityRepository } from './activity.repository.js';
import { ApprovalsRepository } from './approvals.repository.js';
import { JournalDatabase } from './journal.database.js';
import { ModelsRepository } from './models.repository.js';
import { RoundsRepository } from './rounds.repository.js';
import { RunsRepository } from './runs.repository.js';
import { StatementsRepository } from './statements.repository.js';
import { StepsRepository } from './steps.repository.js';

/** Everything a site must remember, in one file with one transaction around what belongs together. */
export class Journal {
  readonly approvals: ApprovalsRepository;
  readonly runs: RunsRepository;
  readonly statements: StatementsRepository;
  readonly rounds: RoundsRepository;
  readonly models: ModelsRepository;
  readonly steps: StepsRepository;
  readonly activity: ActivityRepository;
  readonly #database: JournalDatabase;

  private constructor(database: JournalDatabase, identity: () => Identity, now: () => number) {
    this.#database = database;
    this.approvals = new ApprovalsRepository(database, now);
    this.runs = new RunsRepository(database, now);
    this.statements = new StatementsRepository(database, identity, now);
    this.rounds = new RoundsRepository(database);
    this.models = new ModelsRepository(database);
    this.steps = new StepsRepository(database, now);
    this.activity = new ActivityRepository(database, now);
  }

  /** @param identity signs acts; commands that only read or approve open the journal without one. */
  static open(path: string, identity?: Identity, now: () => number = Date.now): Journal {
    const signer = () => {
      if (identity === undefined)
        throw new AgentError('wrong-passphrase', 'This command opened the journal without the keys of the site and cannot sign.');
      return identity;
    };
    return new Journal(JournalDatabase.open(path), signer, now);
  }

  /** All of it or nothing. */
  transaction<T>(work: () => T): T {
    return this.#database.transaction(work);
  }

  close(): void {
    this.#database.close();
  }
}
