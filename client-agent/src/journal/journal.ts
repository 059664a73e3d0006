import type { Identity } from '@coferment/crypto';
import { AgentError } from '../agent.error.js';
import { ActivityRepository } from './activity.repository.js';
import { ApprovalsRepository } from './approvals.repository.js';
import { ChecksRepository } from './checks.repository.js';
import { JournalDatabase } from './journal.database.js';
import { ModelsRepository } from './models.repository.js';
import { OwnActsRepository } from './own-acts.repository.js';
import { RoundsRepository, type Vault } from './rounds.repository.js';
import { RunsRepository } from './runs.repository.js';
import { StatementsRepository } from './statements.repository.js';
import { StepsRepository } from './steps.repository.js';

/** Everything a site must remember, in one file with one transaction around what belongs together. */
export class Journal {
  readonly approvals: ApprovalsRepository;
  readonly runs: RunsRepository;
  readonly statements: StatementsRepository;
  readonly rounds: RoundsRepository;
  readonly ownActs: OwnActsRepository;
  readonly models: ModelsRepository;
  readonly checks: ChecksRepository;
  readonly steps: StepsRepository;
  readonly activity: ActivityRepository;
  readonly #database: JournalDatabase;

  private constructor(database: JournalDatabase, identity: () => Identity, vault: () => Vault, now: () => number) {
    this.#database = database;
    this.approvals = new ApprovalsRepository(database, now);
    this.runs = new RunsRepository(database, now);
    this.statements = new StatementsRepository(database, identity, now);
    this.rounds = new RoundsRepository(database, vault);
    this.ownActs = new OwnActsRepository(database, now);
    this.models = new ModelsRepository(database);
    this.checks = new ChecksRepository(database);
    this.steps = new StepsRepository(database, now);
    this.activity = new ActivityRepository(database, now);
  }

  /** @param keys sign acts and seal vectors; commands that only read or approve open the journal without them. */
  static open(path: string, keys: { identity?: Identity; vault?: Vault } = {}, now: () => number = Date.now): Journal {
    const { identity, vault } = keys;
    return new Journal(
      JournalDatabase.open(path),
      () => identity ?? withoutKeys('cannot sign'),
      () => vault ?? withoutKeys('cannot read vectors'),
      now,
    );
  }

  /** All of it or nothing. */
  transaction<T>(work: () => T): T {
    return this.#database.transaction(work);
  }

  /** Takes out of the write-ahead log what was erased from the tables: it keeps old pages until it is emptied. */
  emptyLog(): void {
    this.#database.emptyLog();
  }

  close(): void {
    this.#database.close();
  }
}

function withoutKeys(what: string): never {
  throw new AgentError('wrong-passphrase', `This command opened the journal without the keys of the site and ${what}.`);
}
