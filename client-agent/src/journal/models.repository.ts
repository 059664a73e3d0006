import type { StrategyState } from '@coferment/consortium';
import { AgentError } from '../agent.error.js';
import { sha256Hex } from '@coferment/crypto';
import type { JournalDatabase } from './journal.database.js';
import type { RecordRepository } from './record.repository.js';
import { textDigest } from './record.tables.js';

/** How far this site has followed a run: all it knows comes from sums that it verified and applied itself. */
export interface RunProgress {
  appliedSum: number;
  /** Null before the statistics sum is applied. */
  state: StrategyState | null;
}

/** The model and strategy state of each run, one transaction per applied sum. */
export class ModelsRepository {
  constructor(
    private readonly database: JournalDatabase,
    private readonly record: RecordRepository,
  ) {}

  progress(run: string): RunProgress {
    const row = this.database.get('SELECT * FROM run_states WHERE run = ?', run);
    if (row === undefined) return { appliedSum: 0, state: null };
    const bytes = row['model'] as Uint8Array | null;
    if (bytes === null) return { appliedSum: Number(row['applied_sum']), state: null };
    const model = new Float64Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength));
    const rest = JSON.parse(String(row['state'])) as Omit<StrategyState, 'model'>;
    return { appliedSum: Number(row['applied_sum']), state: { ...rest, model } };
  }

  /** Sums are applied in order and once: the caller says from where it started. */
  advance(run: string, from: number, to: RunProgress): void {
    this.database.transaction(() => {
      if (this.progress(run).appliedSum !== from || to.appliedSum <= from) {
        throw new AgentError(
          'out-of-order',
          `Sum ${to.appliedSum} of ${run} cannot be applied after sum ${this.progress(run).appliedSum}.`,
        );
      }
      const { model, ...rest } = to.state ?? { model: null };
      const state = JSON.stringify(rest);
      const before = this.database.get('SELECT state, model_sum FROM run_states WHERE run = ?', run);
      const bytes = model === null ? null : new Uint8Array(model.buffer, model.byteOffset, model.byteLength);
      // The state counts the rounds, so it is another one with every model; confirm sums and the evaluation leave it as it is.
      const modelSum = model === null ? 0 : before?.['state'] === state ? Number(before['model_sum']) : to.appliedSum;
      this.database.run(
        'INSERT OR REPLACE INTO run_states (run, applied_sum, state, model, model_sum) VALUES (?, ?, ?, ?, ?)',
        run,
        to.appliedSum,
        state,
        bytes,
        modelSum,
      );
      this.record.append({
        kind: 'applied',
        run,
        sum: to.appliedSum,
        state: textDigest(state),
        model: bytes === null ? null : sha256Hex(bytes),
        modelSum,
      });
    });
  }
}
