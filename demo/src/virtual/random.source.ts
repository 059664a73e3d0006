import { type HashPart, type Xof, xof } from '@coferment/crypto';

/**
 * Seeded random numbers for the virtual sites. The stream behind it is a standard one (AES-256 in counter mode), so a seed gives the same
 * batches on every machine and in every release, which no `Math.random` substitute with hidden state would promise.
 */
export class RandomSource {
  readonly #stream: Xof;
  #spareNormal: number | undefined;

  constructor(...parts: HashPart[]) {
    this.#stream = xof('virtual-site', ...parts);
  }

  /** Uniform in [0, 1). */
  unit(): number {
    return this.#stream.float53();
  }

  between(low: number, high: number): number {
    return low + (high - low) * this.unit();
  }

  /** Standard normal by Marsaglia's polar method (SIAM Review 1964). */
  normal(): number {
    if (this.#spareNormal !== undefined) {
      const spare = this.#spareNormal;
      this.#spareNormal = undefined;
      return spare;
    }
    for (;;) {
      const u = 2 * this.unit() - 1;
      const v = 2 * this.unit() - 1;
      const s = u * u + v * v;
      if (s > 0 && s < 1) {
        const factor = Math.sqrt((-2 * Math.log(s)) / s);
        this.#spareNormal = v * factor;
        return u * factor;
      }
    }
  }

  chance(probability: number): boolean {
    return this.unit() < probability;
  }
}
