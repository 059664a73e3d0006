import { AGENT_ROUND_TABLE, type AgentRoundEvent, type AgentRoundState, legalEvents, nextState, type SumKind } from '@coferment/consortium';
import type { JournalDatabase } from './journal.database.js';
import type { RecordRepository } from './record.repository.js';

export interface RoundStep {
  run: string;
  sum: number;
  kind: SumKind;
  round: number;
  attempt: number;
  state: AgentRoundState;
  changedMs: number;
}

export interface StepMove {
  from: AgentRoundState;
  event: AgentRoundEvent;
  to: AgentRoundState;
}

/** The moves that an event means in a later attempt or the same one; none where it is not legal any more. */
export function movesOf(before: Pick<RoundStep, 'state' | 'attempt'> | undefined, attempt: number, event: AgentRoundEvent): StepMove[] {
  const moves: StepMove[] = [];
  let state = before?.state ?? AGENT_ROUND_TABLE.initial;
  const take = (taken: AgentRoundEvent): boolean => {
    if (!legalEvents(AGENT_ROUND_TABLE, state).includes(taken)) return false;
    const to = nextState(AGENT_ROUND_TABLE, state, taken);
    moves.push({ from: state, event: taken, to });
    state = to;
    return true;
  };
  if (before !== undefined && before.attempt < attempt) take('new-attempt');
  return take(event) ? moves : [];
}

/** How far this site is in each sum. People read it; what may be signed is decided by the other tables. */
export class StepsRepository {
  constructor(
    private readonly database: JournalDatabase,
    private readonly siteRecord: RecordRepository,
    private readonly now: () => number,
  ) {}

  find(run: string, sum: number): RoundStep | undefined {
    const row = this.database.get('SELECT * FROM round_steps WHERE run = ? AND sum = ?', run, sum);
    if (row === undefined) return undefined;
    return {
      run,
      sum,
      kind: String(row['kind']) as SumKind,
      round: Number(row['round']),
      attempt: Number(row['attempt']),
      state: String(row['state']) as AgentRoundState,
      changedMs: Number(row['changed_ms']),
    };
  }

  latest(run: string): RoundStep | undefined {
    const row = this.database.get('SELECT MAX(sum) AS sum FROM round_steps WHERE run = ?', run);
    return row === undefined || row['sum'] === null ? undefined : this.find(run, Number(row['sum']));
  }

  /** Sums that a key epoch before this one has left open are gone on with under other numbers. Called before the new epoch has sums. */
  supersedeAll(run: string): void {
    this.#recordAll(run, 'supersede');
  }

  /** The run has ended: what was not frozen by then never will be. */
  abandonAll(run: string): void {
    this.#recordAll(run, 'abandon');
  }

  #recordAll(run: string, event: AgentRoundEvent): void {
    for (const row of this.database.all('SELECT sum FROM round_steps WHERE run = ?', run)) {
      const step = this.find(run, Number(row['sum']));
      if (step !== undefined) this.record(step, event);
    }
  }

  /** Takes an event. One that is not legal any more is a repetition of work already done and changes nothing. */
  record(name: { run: string; sum: number; kind: SumKind; round: number; attempt: number }, event: AgentRoundEvent): void {
    this.database.transaction(() => {
      const last = movesOf(this.find(name.run, name.sum), name.attempt, event).at(-1);
      if (last === undefined) return;
      const { run, sum, kind, round, attempt } = name;
      const [after, time] = [last.to, this.now()];
      this.database.run(
        'INSERT OR REPLACE INTO round_steps (run, sum, kind, round, attempt, state, changed_ms) VALUES (?, ?, ?, ?, ?, ?, ?)',
        run,
        sum,
        kind,
        round,
        attempt,
        after,
        time,
      );
      this.siteRecord.append({ kind: 'step', run, sum, sumKind: kind, round, attempt, state: after }, time);
    });
  }
}
