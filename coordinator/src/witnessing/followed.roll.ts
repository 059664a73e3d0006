import { WitnessRoll } from '@coferment/ledger';
import type { Database } from '../persistence/database.js';
import type { Electorate } from './checkpoint.offer.js';
import { statementsOfRoll } from './roll.statements.js';
import type { WitnessingRepository } from './witnessing.repository.js';

/** Who may cosign by the entries up to some size of the ledger, read on from where it was. */
export class FollowedRoll {
  readonly #roll: WitnessRoll;
  #size = 0;

  constructor(
    private readonly database: Database,
    private readonly repository: WitnessingRepository,
    private readonly log: { origin: string; logVkey: string },
  ) {
    this.#roll = new WitnessRoll(log.origin);
  }

  /** Not to be called twice at once, and never with less than before. @param size published entries, so that none below it is still to come */
  async upTo(size: number): Promise<Electorate> {
    if (size > this.#size) {
      const rows = await this.database.transaction((manager) => this.repository.roll(manager, this.#size, size));
      for (const statement of statementsOfRoll(rows)) this.#roll.follow(statement);
      this.#size = size;
    }
    return { keys: [...this.#roll.keys], quorum: this.#roll.quorum, policy: this.#roll.policyText(this.log.logVkey) };
  }
}
