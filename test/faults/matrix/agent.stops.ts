import { AGENT_ROUND_TABLE } from '@coferment/consortium';
import { JournalDatabase } from '../../../client-agent/src/journal/journal.database.js';
import { movesOf, StepsRepository } from '../../../client-agent/src/journal/steps.repository.js';
import { replaceMethod } from './replaced.method.js';
import type { Move, Phase } from './stop.points.js';

/** An agent that is no more. */
export class Killed extends Error {
  override readonly name = 'Killed';
}

export interface AgentWatcher {
  /** Told of each transaction that moves a site's round. When it says true, the agent is dead. */
  stops(journal: JournalDatabase, moves: readonly Move[], phase: Phase): boolean;
  isDead(journal: JournalDatabase): boolean;
}

/** Looks into the journals of all agents of this process: which moves a transaction makes, and when it commits. */
export function watchAgents(watcher: AgentWatcher): void {
  const moved = new Map<JournalDatabase, Move[]>();
  const depth = new WeakMap<JournalDatabase, number>();
  replaceMethod(
    StepsRepository.prototype,
    'record',
    (record) =>
      function (this: StepsRepository, name, event) {
        const { database } = this as unknown as { database: JournalDatabase };
        return database.transaction(() => {
          const moves = movesOf(this.find(name.run, name.sum), name.attempt, event);
          const list = moves.map((move) => ({ of: AGENT_ROUND_TABLE.of, state: move.from, event: move.event }));
          moved.set(database, [...(moved.get(database) ?? []), ...list]);
          record.call(this, name, event);
        });
      },
  );
  replaceMethod(
    JournalDatabase.prototype,
    'transaction',
    (begin) =>
      function <T>(this: JournalDatabase, work: () => T): T {
        if (watcher.isDead(this)) throw new Killed('this agent is dead');
        const outer = depth.get(this) ?? 0;
        if (outer > 0) return begin.call(this, work) as T;
        depth.set(this, 1);
        try {
          const answer = begin.call(this, () => {
            const result = work();
            const moves = moved.get(this) ?? [];
            if (moves.length > 0 && watcher.stops(this, moves, 'before')) throw new Killed('before the commit');
            return result;
          }) as T;
          const moves = moved.get(this) ?? [];
          if (moves.length > 0 && watcher.stops(this, moves, 'after')) throw new Killed('after the commit');
          return answer;
        } finally {
          moved.delete(this);
          depth.set(this, 0);
        }
      },
  );
  replaceMethod(
    JournalDatabase.prototype,
    'run',
    (run) =>
      function (this: JournalDatabase, ...given) {
        if (watcher.isDead(this)) throw new Killed('this agent is dead');
        return run.apply(this, given);
      },
  );
}
