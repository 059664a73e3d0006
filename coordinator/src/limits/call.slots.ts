/** Gives back what was taken; a second time it does nothing. */
export type Release = () => void;

/** Counts what is going on at once, by key. A key without anything going on takes no memory. */
export class CallSlots {
  readonly #taken = new Map<string, number>();

  constructor(private readonly most: number) {}

  /** @returns undefined when all are taken */
  take(key: string): Release | undefined {
    const taken = this.of(key);
    if (taken >= this.most) return undefined;
    this.#taken.set(key, taken + 1);
    let isHeld = true;
    return () => {
      if (!isHeld) return;
      isHeld = false;
      const rest = this.of(key) - 1;
      if (rest === 0) this.#taken.delete(key);
      else this.#taken.set(key, rest);
    };
  }

  of(key: string): number {
    return this.#taken.get(key) ?? 0;
  }

  get keys(): number {
    return this.#taken.size;
  }
}
