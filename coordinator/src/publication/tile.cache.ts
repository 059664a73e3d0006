/** The tiles that were used last. Proofs near the end of a ledger need the same few again and again; each has 8,192 bytes. */
export class TileCache {
  /** A Map keeps the order of insertion: the first is the one that was not used for longest. */
  readonly #tiles = new Map<string, Uint8Array>();

  constructor(private readonly most: number) {}

  get(path: string): Uint8Array | undefined {
    const hashes = this.#tiles.get(path);
    if (hashes !== undefined) this.put(path, hashes);
    return hashes;
  }

  put(path: string, hashes: Uint8Array): void {
    this.#tiles.delete(path);
    this.#tiles.set(path, hashes);
    if (this.#tiles.size > this.most) this.#tiles.delete(this.#tiles.keys().next().value!);
  }
}
