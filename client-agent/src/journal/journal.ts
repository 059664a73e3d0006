import type { Identity } from '@coferment/crypto';
import { AgentError } from '../agent.error.js';
import { ActivityRepository } from './activity.repository.js';
import { ApprovalsRepository } from './approvals.repository.js';
import { ChecksRepository } from './checks.repository.js';
import { CosignedRepository } from './cosigned.repository.js';
import { CountedSetsRepository } from './counted-sets.repository.js';
import { EvidenceRepository } from './evidence.repository.js';
import { JournalDatabase } from './journal.database.js';
import { ModelsRepository } from './models.repository.js';
import { NewSetsRepository } from './new-sets.repository.js';
import { OwnActsRepository } from './own-acts.repository.js';
import { ReceiptsRepository } from './receipts.repository.js';
import { RecordRepository } from './record.repository.js';
import { RollRepository } from './roll.repository.js';
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
  readonly sets: CountedSetsRepository;
  readonly newSets: NewSetsRepository;
  readonly ownActs: OwnActsRepository;
  readonly models: ModelsRepository;
  readonly checks: ChecksRepository;
  readonly steps: StepsRepository;
  readonly activity: ActivityRepository;
  readonly receipts: ReceiptsRepository;
  readonly cosigned: CosignedRepository;
  readonly evidence: EvidenceRepository;
  readonly roll: RollRepository;
  readonly record: RecordRepository;
  readonly #database: JournalDatabase;

  private constructor(database: JournalDatabase, keys: { identity?: Identity; vault?: Vault }, now: () => number) {
    const identity = () => keys.identity ?? withoutKeys('cannot sign');
    const vault = () => keys.vault ?? withoutKeys('cannot read vectors');
    const record = new RecordRepository(database, keys.identity, now);
    this.#database = database;
    this.record = record;
    this.approvals = new ApprovalsRepository(database, record, now);
    this.runs = new RunsRepository(database, record, now);
    this.cosigned = new CosignedRepository(database, record, now);
    this.evidence = new EvidenceRepository(database, record, now);
    this.roll = new RollRepository(database, record);
    this.statements = new StatementsRepository(database, record, this.evidence, identity, now);
    this.sets = new CountedSetsRepository(database, record);
    this.newSets = new NewSetsRepository(database, record, now);
    this.rounds = new RoundsRepository(database, record, this.sets, vault);
    this.ownActs = new OwnActsRepository(database, record, now);
    this.models = new ModelsRepository(database, record);
    this.checks = new ChecksRepository(database, record);
    this.steps = new StepsRepository(database, record, now);
    this.activity = new ActivityRepository(database, record, now);
    this.receipts = new ReceiptsRepository(database, record, now);
  }

  /** @param keys sign acts and seal vectors; commands that only read or approve open the journal without them. */
  static open(path: string, keys: { identity?: Identity; vault?: Vault } = {}, now: () => number = Date.now): Journal {
    return new Journal(JournalDatabase.open(path, now), keys, now);
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
