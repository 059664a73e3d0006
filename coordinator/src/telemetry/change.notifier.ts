import { Injectable } from '@nestjs/common';

/** Wakes whoever waits for a change. It carries no state: the woken read the database, so a lost or doubled wake-up costs time, never truth. */
@Injectable()
export class ChangeNotifier {
  readonly #waiting = new Set<() => void>();

  changed(): void {
    const woken = [...this.#waiting];
    this.#waiting.clear();
    for (const wake of woken) wake();
  }

  /** Resolves at the next change, after `timeoutMs`, or when the signal aborts. */
  next(timeoutMs: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const finish = () => {
        clearTimeout(timer);
        signal?.removeEventListener('abort', finish);
        this.#waiting.delete(finish);
        resolve();
      };
      const timer = setTimeout(finish, timeoutMs);
      signal?.addEventListener('abort', finish);
      this.#waiting.add(finish);
      if (signal?.aborted) finish();
    });
  }
}
