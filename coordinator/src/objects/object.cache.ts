import { rmSync } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';

const DIGEST = /^[0-9a-f]{64}$/;

/**
 * Which objects lie on this machine, least recently used first, within a bound. What somebody is at work on stays, even beyond the bound: a sum needs all of
 * its uploads at once. Files are removed without a pause between the look and the deed, so that none is removed that was just fetched again.
 */
export class ObjectCache {
  /** Bytes by digest, in the order of use: a Map keeps the order in which keys were set. */
  readonly #sizes = new Map<string, number>();
  readonly #holders = new Map<string, number>();
  #bytes = 0;

  constructor(
    private readonly folder: string,
    private readonly limitBytes: number,
  ) {}

  /** Takes in what earlier processes have left, oldest first. */
  async open(): Promise<void> {
    const names = (await readdir(this.folder)).filter((name) => DIGEST.test(name));
    const found = await Promise.all(names.map(async (name) => ({ name, file: await stat(join(this.folder, name)) })));
    for (const { name, file } of found.sort((one, other) => one.file.mtimeMs - other.file.mtimeMs)) this.#set(name, file.size);
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** Bytes of an object that lies here, which is used now; undefined for one that does not. */
  use(digest: string): number | undefined {
    const size = this.#sizes.get(digest);
    if (size !== undefined) this.#set(digest, size);
    return size;
  }

  /** It has just been put there. What is over the bound goes, but for what is held and this one. */
  add(digest: string, size: number): void {
    this.#set(digest, size);
    this.#evict(digest);
  }

  /** It is damaged: whoever reads it now goes on, nobody begins. */
  drop(digest: string): void {
    this.#bytes -= this.#sizes.get(digest) ?? 0;
    this.#sizes.delete(digest);
    rmSync(join(this.folder, digest), { force: true });
  }

  /** From now on it is not removed to make room, whether or not it lies here yet. @returns ends that; to be called once */
  hold(digest: string): () => void {
    this.#holders.set(digest, (this.#holders.get(digest) ?? 0) + 1);
    return () => {
      const left = (this.#holders.get(digest) ?? 1) - 1;
      if (left > 0) this.#holders.set(digest, left);
      else this.#holders.delete(digest);
      this.#evict();
    };
  }

  #set(digest: string, size: number): void {
    this.#bytes += size - (this.#sizes.get(digest) ?? 0);
    this.#sizes.delete(digest);
    this.#sizes.set(digest, size);
  }

  #evict(newest?: string): void {
    for (const digest of this.#sizes.keys()) {
      if (this.#bytes <= this.limitBytes) return;
      if (digest !== newest && !this.#holders.has(digest)) this.drop(digest);
    }
  }
}
