/** Lines of one key are written once in so long; what came in between is counted on the next. */
const QUIET_MS = 60_000;
const MOST_KEYS = 2000;

/**
 * Keeps a fault that is met twice a second, or a caller that is refused with every poll, from filling the disk: a log that grows without end stops the coordinator
 * that it tells of.
 */
export class LogRepeats {
  readonly #lines = new Map<string, { writtenMs: number; since: number }>();

  constructor(private readonly now: () => number = Date.now) {}

  /** @returns how often it came since it was last written, this time included; undefined when it is not to be written */
  next(key: string): number | undefined {
    const nowMs = this.now();
    const known = this.#lines.get(key);
    // A clock that was set back would keep it quiet for as long.
    const isQuiet = known !== undefined && nowMs >= known.writtenMs && nowMs - known.writtenMs < QUIET_MS;
    if (isQuiet) {
      known.since += 1;
      return undefined;
    }
    this.#lines.delete(key);
    if (this.#lines.size >= MOST_KEYS) this.#forgetOldest();
    this.#lines.set(key, { writtenMs: nowMs, since: 0 });
    return (known?.since ?? 0) + 1;
  }

  #forgetOldest(): void {
    for (const key of this.#lines.keys()) {
      this.#lines.delete(key);
      return;
    }
  }
}
