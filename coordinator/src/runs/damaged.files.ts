import { Injectable } from '@nestjs/common';
import type { DamagedObject } from '../aggregation/damaged.object.js';

const FIRST_WAIT_MS = 5_000;
const LONGEST_WAIT_MS = 60_000;

interface Damage {
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

  /** @returns whether this damage is another one than at the last try */
  note(run: string, { what, path }: DamagedObject, nowMs: number): boolean {
    const before = this.#damages.get(run);
    const isNew = before?.path !== path;
    const waitMs = isNew ? FIRST_WAIT_MS : Math.min(LONGEST_WAIT_MS, before.waitMs * 2);
    this.#damages.set(run, { what, path, waitMs, againMs: nowMs + waitMs });
    return isNew;
  }

  isPostponed(run: string, nowMs: number): boolean {
    return nowMs < (this.#damages.get(run)?.againMs ?? 0);
  }

  clear(run: string): void {
    this.#damages.delete(run);
  }

  /** For the operator; undefined where nothing is damaged. */
  whatToDo(run: string): string | undefined {
    const damage = this.#damages.get(run);
    if (damage === undefined) return undefined;
    const { what, path, waitMs } = damage;
    return `The file of ${what} is gone or was changed on disk: ${path}. Restore it from a backup; the run goes on by itself within ${waitMs / 1000} seconds.`;
  }
}
