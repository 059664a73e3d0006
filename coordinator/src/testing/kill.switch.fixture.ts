/** A process that is no more: nothing that it would still do happens. */
export class Killed extends Error {
  override readonly name = 'Killed';
}

/**
 * Kills at the n-th step. A step is whatever reaches the outside: a statement to the database, a change of a file. They are counted as they happen, so a
 * step that is built in later is a kill point without anybody having to list it.
 */
export class KillSwitch {
  #armed = false;
  #left = 0;
  /** What was done since {@link arm}, in order. */
  steps: string[] = [];

  /** @param after steps that still happen */
  arm(after: number): void {
    this.#armed = true;
    this.#left = after;
    this.steps = [];
  }

  disarm(): void {
    this.#armed = false;
  }

  /** @param torn what of the step is done when the process dies in it */
  pass<T>(step: string, work: () => T, torn: () => void = () => {}): T {
    if (!this.#armed) return work();
    if (this.#left > 0) {
      this.#left--;
      this.steps.push(step);
      return work();
    }
    if (this.#left-- === 0) torn();
    throw new Killed(`killed at ${step}`);
  }
}
