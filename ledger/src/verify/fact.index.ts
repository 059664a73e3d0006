import { hash, randomBytes } from 'node:crypto';

const FIRST_CAPACITY = 4096;
const MAX_LOAD = 0.6;

/**
 * Which entry first said something, for millions of facts in twenty to forty bytes each: of a fact only 64 bits of a hash are kept. The hash has a key of its
 * own in every verification, so nobody can prepare two facts that collide; by chance two of a million do in one of thirty million verifications.
 */
export class FactIndex {
  readonly #key = randomBytes(16).toString('hex');
  #size = 0;
  /** Two words of the hash and the entry's index plus one (0: free) in each place. Open addressing: no object, no pointer. */
  #places = new Uint32Array(3 * FIRST_CAPACITY);

  get size(): number {
    return this.#size;
  }

  /** The entry that said it first, if any did. */
  first(fact: string): number | undefined {
    const [high, low] = this.#tagOf(fact);
    const found = this.#places[3 * this.#placeOf(high, low) + 2]!;
    return found === 0 ? undefined : found - 1;
  }

  has(fact: string): boolean {
    return this.first(fact) !== undefined;
  }

  /** Notes who says it, unless it was said before. @returns the entry that said it first */
  note(fact: string, index: number): number {
    const [high, low] = this.#tagOf(fact);
    let at = 3 * this.#placeOf(high, low);
    const found = this.#places[at + 2]!;
    if (found !== 0) return found - 1;
    if (this.#size + 1 > (MAX_LOAD * this.#places.length) / 3) {
      this.#grow();
      at = 3 * this.#placeOf(high, low);
    }
    this.#places.set([high, low, index + 1], at);
    this.#size++;
    return index;
  }

  #tagOf(fact: string): [number, number] {
    const bytes = hash('sha256', this.#key + fact, 'buffer');
    return [bytes.readUInt32LE(0), bytes.readUInt32LE(4)];
  }

  #placeOf(high: number, low: number): number {
    const mask = this.#places.length / 3 - 1;
    for (let at = low & mask; ; at = (at + 1) & mask) {
      const here = 3 * at;
      if (this.#places[here + 2] === 0 || (this.#places[here] === high && this.#places[here + 1] === low)) return at;
    }
  }

  #grow(): void {
    const old = this.#places;
    this.#places = new Uint32Array(2 * old.length);
    for (let here = 0; here < old.length; here += 3) {
      if (old[here + 2] === 0) continue;
      this.#places.set(old.subarray(here, here + 3), 3 * this.#placeOf(old[here]!, old[here + 1]!));
    }
  }
}
