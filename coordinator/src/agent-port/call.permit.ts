import type { Release } from '../limits/call.slots.js';

/** What a call has taken of the limits, given back when it ends: also what it takes while it is ending. */
export class CallPermit {
  readonly #releases: Release[] = [];
  #isOver = false;

  hold(release: Release): void {
    if (this.#isOver) release();
    else this.#releases.push(release);
  }

  end(): void {
    this.#isOver = true;
    for (const release of this.#releases.splice(0)) release();
  }
}
