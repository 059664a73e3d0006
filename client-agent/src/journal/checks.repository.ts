import { AgentError } from '../agent.error.js';
import type { JournalDatabase } from './journal.database.js';
import type { RecordRepository } from './record.repository.js';

/**
 * Which blocks of a published sum this site looks at. Requests for blocks show the draw to the coordinator, so a draw is made once for a sum and
 * stands through restarts: one that fails cannot be repeated until it misses the false blocks, nor can the sum be published anew around it.
 */
export class ChecksRepository {
  constructor(
    private readonly database: JournalDatabase,
    private readonly record: RecordRepository,
  ) {}

  /**
   * @param aggregate digest of the operator's signed aggregate
   * @param draw makes the draw the first time
   * @throws AgentError 'sum-changed' for another aggregate of this sum than the one first seen
   */
  drawOnce(run: string, sum: number, aggregate: string, draw: () => number[]): number[] {
    return this.database.transaction(() => {
      const stored = this.database.get('SELECT aggregate, blocks FROM spot_checks WHERE run = ? AND sum = ?', run, sum);
      if (stored === undefined) {
        const blocks = draw();
        this.database.run(
          'INSERT INTO spot_checks (run, sum, aggregate, blocks) VALUES (?, ?, ?, ?)',
          run,
          sum,
          aggregate,
          JSON.stringify(blocks),
        );
        this.record.append({ kind: 'drawn', run, sum, aggregate, blocks });
        return blocks;
      }
      if (stored['aggregate'] === aggregate) return JSON.parse(String(stored['blocks'])) as number[];
      throw new AgentError(
        'sum-changed',
        `The operator has signed two aggregates of sum ${sum} of ${run}: ${String(stored['aggregate'])} and ${aggregate}.`,
      );
    });
  }
}
