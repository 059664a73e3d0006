import { nextState, ROUND_TABLE, RUN_TABLE } from '@coferment/consortium';
import { Database } from '../../../coordinator/src/persistence/database.js';
import { RunChange } from '../../../coordinator/src/runs/run.change.js';
import { replaceMethod } from './replaced.method.js';
import type { Move, Phase } from './stop.points.js';

/** Never comes back: what a dead process would still have done does not happen. */
export const never = <T>(): Promise<T> => new Promise<T>(() => undefined);

export interface CoordinatorWatcher {
  /** Told of each transaction that moves a run or rounds. When it says true, the instance is dead, and so is everything that it had under way. */
  stops(moves: readonly Move[], phase: Phase): boolean;
  isDead(database: Database): boolean;
}

type Work<T> = Parameters<typeof Database.prototype.transaction<T>>[0];

/**
 * Looks into every coordinator of this process: which moves a transaction makes, and when it is about to commit. Moves are counted where the tables are
 * applied, so that a new one is a point without anybody having to list it.
 */
export function watchCoordinators(watcher: CoordinatorWatcher): void {
  const moved = new WeakMap<object, Move[]>();
  const note = (manager: object, move: Move) => moved.set(manager, [...(moved.get(manager) ?? []), move]);
  replaceMethod(
    RunChange.prototype,
    'move',
    (move) =>
      function (this: RunChange, event, text) {
        note(this.manager, { of: RUN_TABLE.of, state: this.run.state, event });
        return move.call(this, event, text);
      },
  );
  replaceMethod(
    RunChange.prototype,
    'moveRound',
    (moveRound) =>
      function (this: RunChange, round, ...events) {
        let { state } = round;
        for (const event of events) {
          note(this.manager, { of: ROUND_TABLE.of, state, event });
          state = nextState(ROUND_TABLE, state, event);
        }
        return moveRound.call(this, round, ...events);
      },
  );
  for (const kind of ['transaction', 'snapshot'] as const) {
    replaceMethod(
      Database.prototype,
      kind,
      (begin) =>
        function <T>(this: Database, work: Work<T>): Promise<T> {
          if (watcher.isDead(this)) return never();
          let moves: Move[] = [];
          const result = begin.call(this, async (manager) => {
            const answer = await work(manager);
            moves = moved.get(manager) ?? [];
            return moves.length > 0 && watcher.stops(moves, 'before') ? never<T>() : answer;
          }) as Promise<T>;
          return result.then(
            (answer) => (watcher.isDead(this) || (moves.length > 0 && watcher.stops(moves, 'after')) ? never<T>() : answer),
            (error: unknown) => (watcher.isDead(this) ? never<T>() : Promise.reject(error as Error)),
          );
        },
    );
  }
}
