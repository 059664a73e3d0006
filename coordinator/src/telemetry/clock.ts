import { Injectable } from '@nestjs/common';

/**
 * The time that decisions are made by. Between two looks at the calendar it goes on at the pace of the machine's steady clock, so a wall clock that is set
 * forwards or back expires nothing by itself: {@link KeptTime} sees the leap, moves what is open, and only then sets this clock.
 *
 * Certificates, invites and the times in cosignatures are facts of the calendar and are judged by `Date.now()`.
 */
@Injectable()
export class Clock {
  #atMs = Date.now();
  #sinceMs = performance.now();

  /** Milliseconds since 1970, for deadlines and everything that is compared with them. */
  nowMs(): number {
    return Math.round(this.#atMs + performance.now() - this.#sinceMs);
  }

  /** Milliseconds of no particular beginning that no setting of the clock changes, for how long something took or is waited for. */
  steadyMs(): number {
    return performance.now();
  }

  /** @param nowMs what {@link nowMs} goes on from */
  set(nowMs: number): void {
    this.#atMs = nowMs;
    this.#sinceMs = performance.now();
  }
}
