import { Injectable } from '@nestjs/common';

/** One change of a run at a time in this process: decisions are then rarely made on a version that is gone. The database stays the judge. */
@Injectable()
export class RunQueue {
  readonly #tails = new Map<string, Promise<unknown>>();

  async inTurn<T>(run: string, work: () => Promise<T>): Promise<T> {
    const turn = (this.#tails.get(run) ?? Promise.resolve()).then(work, work);
    this.#tails.set(run, turn);
    return turn;
  }
}
