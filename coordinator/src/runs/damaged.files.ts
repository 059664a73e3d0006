import { Injectable } from '@nestjs/common';
import type { DamagedObject } from '../aggregation/damaged.object.js';
import { type RunView, isOver } from './run.view.js';

const FIRST_WAIT_MS = 5_000;
const LONGEST_WAIT_MS = 60_000;

interface Damage {
  sum: number;
  what: string;
  path: string;
  waitMs: number;
  againMs: number;
}

/**
 * Runs whose next sum needs a file that is gone or was changed. Each try reads every upload of the sum again, so they are made less and less often. Only in
 * memory: a coordinator that starts anew tries at once.
 */
@Injectable()
export class DamagedFiles {
  readonly #damages = new Map<string, Damage>();

  /**
   * @param sum the one that could not be opened
   * @returns whether this damage is another one than at the last try
   */
  note(run: string, sum: number, { what, path }: DamagedObject, nowMs: number): boolean {
    const before = this.#damages.get(run);
    const isNew = before?.path !== path;
    const waitMs = isNew ? FIRST_WAIT_MS : Math.min(LONGEST_WAIT_MS, before.waitMs * 2);
    this.#damages.set(run, { sum, what, path, waitMs, againMs: nowMs + waitMs });
    return isNew;
  }

  isPostponed(run: string, nowMs: number): boolean {
    return nowMs < (this.#damages.get(run)?.againMs ?? 0);
  }

  clear(run: string): void {
    this.#damages.delete(run);
  }

  /** For the operator; undefined where nothing is damaged, or nobody waits for it any more: the run has ended, or a new key epoch has begun. */
  whatToDo(view: RunView): string | undefined {
    const damage = this.#damages.get(view.run.run);
    const isAwaited = view.rounds.some(({ sum, state }) => sum === damage?.sum && state === 'decrypting') && !isOver(view);
    if (damage === undefined || !isAwaited) return undefined;
    const { what, path, waitMs } = damage;
    return `The file of ${what} is gone or was changed on disk: ${path}. Restore it from a backup; the run goes on by itself within ${waitMs / 1000} seconds.`;
  }
}
