import { randomBytes } from 'node:crypto';
import { type FileHandle, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { sha256Hex } from '@coferment/crypto';
import { CoordinatorError } from '../errors/index.js';
import type { Settings } from '../settings.js';
import { BucketFault, PASSING } from './bucket.fault.js';
import { flush } from './durable.file.js';
import { FolderStore } from './folder.store.js';
import type { ObjectBucket } from './object.bucket.js';
import { ObjectCache } from './object.cache.js';
import { type StoredFile, kindOfObject } from './orphan.rule.js';
import { newStoreName, parseStoreName } from './store.name.js';

const NAME = 'store.json';
const GIBIBYTE = 2 ** 30;
export const USUAL_CACHE_GIB = 20;

/**
 * Objects in an S3-compatible bucket, which is the truth, with a bounded copy on this machine that threads read. An object is in the bucket before a row names
 * it, and what comes from there is compared with its name before anybody reads it: whoever may write to the bucket can take objects away, not change them.
 * What is still arriving is on this machine only; a site that comes to another coordinator starts that one upload again.
 */
export class BucketStore extends FolderStore {
  override readonly place: string;
  readonly #cache: ObjectCache;
  readonly #fetching = new Map<string, Promise<void>>();

  constructor(
    settings: Settings,
    private readonly bucket: ObjectBucket,
    limitBytes = (settings.objectCacheGib ?? USUAL_CACHE_GIB) * GIBIBYTE,
  ) {
    super(settings, join(settings.folder, 'object-cache'));
    this.place = bucket.place;
    this.#cache = new ObjectCache(this.folder, limitBytes);
  }

  /** Writes, reads and removes an object of its own. */
  override async open(): Promise<void> {
    await super.open();
    await this.#cache.open();
    const name = `probe-${randomBytes(8).toString('hex')}`;
    const bytes = randomBytes(64);
    try {
      await this.bucket.put(name, { bytes }, { size: bytes.length, digest: sha256Hex(bytes) });
      const read = await this.bucket.read(name);
      await this.bucket.remove(name);
      if (read !== undefined && bytes.equals(read)) return;
    } catch (cause) {
      if (!(cause instanceof BucketFault)) throw cause;
      throw new CoordinatorError(PASSING.has(cause.kind) ? 'unreachable' : 'folder-unusable', `${cause.detail}. Then start again.`, {
        cause,
      });
    }
    throw new CoordinatorError(
      'folder-unusable',
      `${this.place} did not give back what was just written to it. Coordinators need a store in which a write is seen by the next read.`,
    );
  }

  override async name(): Promise<string> {
    await this.bucket.putNew(NAME, Buffer.from(newStoreName()));
    const stored = await this.bucket.read(NAME);
    try {
      return parseStoreName(Buffer.from(stored ?? []).toString('utf8'));
    } catch (cause) {
      throw new CoordinatorError('folder-unusable', `${this.place}/${NAME} is damaged. Restore it from a backup.`, { cause });
    }
  }

  override async probe(): Promise<void> {
    await super.probe();
    await this.bucket.probe(NAME);
  }

  override giveUp(): void {
    this.bucket.giveUp();
  }

  override held<T>(digests: readonly string[], work: () => Promise<T>): Promise<T> {
    return this.#holding(digests, async () => {
      for (const digest of digests) await this.#fetched(digest);
      return work();
    });
  }

  override distrust(digest: string): Promise<void> {
    this.#cache.drop(digest);
    return Promise.resolve();
  }

  override async has(digest: string, size: number): Promise<boolean> {
    try {
      await this.require(digest, size);
      return true;
    } catch (error) {
      if (error instanceof CoordinatorError && error.code === 'unknown-object') return false;
      throw error;
    }
  }

  override async require(digest: string, size: number): Promise<void> {
    await this.#fetched(digest, size);
  }

  override read(digest: string): Promise<Uint8Array> {
    return this.#holding([digest], async () => {
      await this.#fetched(digest);
      const bytes = await readFile(this.pathOf(digest));
      if (sha256Hex(bytes) === digest) return bytes;
      this.#cache.drop(digest);
      await this.#fetched(digest);
      return readFile(this.pathOf(digest));
    });
  }

  override async remove(file: StoredFile): Promise<boolean> {
    if (!isInBucket(file)) return super.remove(file);
    const found = await this.bucket.head(file.name);
    if (found === undefined || found.writtenMs > file.writtenMs) return false;
    await this.bucket.remove(file.name);
    this.#cache.drop(file.name);
    return true;
  }

  override async inspect(digest: string, size: number, deep: boolean): Promise<string | undefined> {
    const draft = this.partial.path('@inspect', digest);
    try {
      const found = deep ? await this.bucket.fetch(digest, draft) : await this.bucket.head(digest);
      if (found === undefined) return 'it is gone';
      if (found.size !== size) return `it has ${found.size} bytes instead of ${size}`;
      return 'digest' in found && found.digest !== digest ? `its bytes have the digest ${found.digest}` : undefined;
    } finally {
      await rm(draft, { force: true });
    }
  }

  /** Of the bucket: the copies on this machine come and go by their own rule. */
  protected override async *objects(): AsyncIterable<StoredFile> {
    for await (const found of this.bucket.list()) {
      const kind = kindOfObject(found.name);
      if (kind !== undefined) yield { ...found, kind };
    }
  }

  protected override opened(digest: string): Promise<FileHandle> {
    return this.#holding([digest], async () => {
      await this.#fetched(digest);
      return super.opened(digest);
    });
  }

  protected override async keep(path: string, digest: string, size: number): Promise<void> {
    await this.bucket.put(digest, { path }, { size, digest });
    await super.keep(path, digest, size);
    this.#cache.add(digest, size);
  }

  async #holding<T>(digests: readonly string[], work: () => Promise<T>): Promise<T> {
    const ends = digests.map((digest) => this.#cache.hold(digest));
    try {
      return await work();
    } finally {
      for (const end of ends) end();
    }
  }

  /** Those who want the same object wait for one download of it. */
  async #fetched(digest: string, size?: number): Promise<void> {
    const here = this.#cache.use(digest);
    if (here !== undefined && (size === undefined || here === size)) return;
    let fetching = this.#fetching.get(digest);
    if (fetching === undefined) {
      fetching = this.#fetch(digest).finally(() => this.#fetching.delete(digest));
      this.#fetching.set(digest, fetching);
    }
    await fetching;
    const found = this.#cache.use(digest);
    if (size !== undefined && found !== size) throw this.gone(digest, `it has ${found} bytes instead of ${size}`);
  }

  async #fetch(digest: string): Promise<void> {
    const draft = this.partial.path('@fetch', digest);
    try {
      const found = await this.bucket.fetch(digest, draft);
      if (found === undefined) throw this.gone(digest, 'it is gone');
      if (found.digest !== digest)
        throw this.gone(digest, `its ${found.size} bytes have the digest ${found.digest}: it was changed or cut`);
      await flush(draft);
      await rename(draft, this.pathOf(digest));
      this.#cache.add(digest, found.size);
    } finally {
      await rm(draft, { force: true });
    }
  }
}

/** Drafts and block digests lie on this machine, but for the trial of a start. */
function isInBucket({ kind, name }: StoredFile): boolean {
  return kind === 'object' || kindOfObject(name) === 'draft';
}
