interface OfRun {
  item: { run: string };
}

/** Names of runs come from the coordinator; whoever has not had a turn for so many others may as well never have had one. */
const MOST_REMEMBERED = 1000;

/** Whose turn it is among runs that share a lane: the run that has waited longest. Deterministic, and forgotten by a restart. */
export class RunTurns {
  /** In the order of their last turns, the longest ago first. */
  readonly #last = new Set<string>();

  /** The first item of the run whose turn it is. @param ready in the order in which each run wants its own */
  next<T extends OfRun>(ready: readonly T[], lane: string): T | undefined {
    const fresh = ready.find(({ item }) => !this.#last.has(keyOf(lane, item.run)));
    if (fresh !== undefined) return fresh;
    for (const key of this.#last) {
      const found = ready.find(({ item }) => keyOf(lane, item.run) === key);
      if (found !== undefined) return found;
    }
    return undefined;
  }

  taken(lane: string, run: string): void {
    const key = keyOf(lane, run);
    this.#last.delete(key);
    this.#last.add(key);
    const [oldest] = this.#last;
    if (this.#last.size > MOST_REMEMBERED && oldest !== undefined) this.#last.delete(oldest);
  }
}

function keyOf(lane: string, run: string): string {
  return `${lane} ${run}`;
}
