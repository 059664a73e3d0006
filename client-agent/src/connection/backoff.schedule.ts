/** Waiting times between tries: doubling from `firstMs` to `mostMs`, each cut by up to half at random so that sites do not come back in step. */
export class BackoffSchedule {
  #failures = 0;

  constructor(
    private readonly firstMs = 500,
    private readonly mostMs = 15_000,
    private readonly random: () => number = Math.random,
  ) {}

  nextMs(): number {
    const full = Math.min(this.firstMs * 2 ** Math.min(this.#failures, 20), this.mostMs);
    this.#failures += 1;
    return Math.round(full * (0.5 + this.random() / 2));
  }

  reset(): void {
    this.#failures = 0;
  }
}
