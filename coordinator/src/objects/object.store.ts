import { createHash } from 'node:crypto';
import { createReadStream, readFileSync } from 'node:fs';
import { type FileHandle, mkdir, open, readFile, readdir, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { sha256Hex } from '@coferment/crypto';
import { Injectable } from '@nestjs/common';
import { CoordinatorError } from '../errors/index.js';
import { Settings } from '../settings.js';

/**
 * Files named by the SHA-256 of their bytes. A file stands under its name only when it is whole and checked; what is still arriving has a name of its
 * own per sender, so that nobody can spoil another's upload, and survives restarts.
 */
@Injectable()
export class ObjectStore {
  readonly #folder: string;
  readonly #partial: string;
  /** Digests of the blocks of uploads and shares: every site asks for all of them, and making them again would read every object once a site. */
  readonly #leaves: string;

  constructor(settings: Settings) {
    this.#folder = join(settings.folder, 'objects');
    this.#partial = join(this.#folder, 'partial');
    this.#leaves = join(this.#folder, 'leaves');
  }

  async open(): Promise<void> {
    for (const folder of [this.#partial, this.#leaves]) await mkdir(folder, { recursive: true, mode: 0o700 });
  }

  /** Bytes of an upload that have arrived so far. */
  async received(sender: string, digest: string): Promise<number> {
    return (await sizeOf(this.#partialPath(sender, digest))) ?? 0;
  }

  /** What a sender has begun to upload, and when the last of it came. */
  async unfinished(sender: string): Promise<{ digest: string; bytes: number; changedMs: number }[]> {
    const names = (await readdir(this.#partial)).filter((name) => name.startsWith(`${sender}.`));
    const found = await Promise.all(
      names.map(async (name) => {
        const stats = await stat(join(this.#partial, name)).catch(() => undefined);
        return stats === undefined ? [] : [{ digest: name.slice(sender.length + 1), bytes: stats.size, changedMs: stats.mtimeMs }];
      }),
    );
    return found.flat();
  }

  /** The bytes of an upload that have arrived so far. */
  async *arrived(sender: string, digest: string): AsyncIterable<Buffer> {
    yield* createReadStream(this.#partialPath(sender, digest)) as AsyncIterable<Buffer>;
  }

  async append(sender: string, digest: string): Promise<FileHandle> {
    return open(this.#partialPath(sender, digest), 'a', 0o600);
  }

  /**
   * Gives a whole upload its name.
   * @param found size and digests of what was received
   * @throws CoordinatorError 'wrong-digest'; what had arrived is thrown away then
   */
  async finish(sender: string, digest: string, found: { size: number; digest: string; leaves: Buffer }): Promise<void> {
    const path = this.#partialPath(sender, digest);
    const size = await sizeOf(path);
    if (found.digest !== digest || size !== found.size) {
      await rm(path, { force: true });
      throw new CoordinatorError(
        'wrong-digest',
        `The ${size} uploaded bytes have the digest ${found.digest}, not ${digest}. Upload the object again from the start.`,
      );
    }
    if (found.leaves.length > 0) {
      const leaves = this.#partialPath(sender, `${digest}.leaves`);
      await writeFile(leaves, found.leaves, { mode: 0o600, flush: true });
      await rename(leaves, join(this.#leaves, digest));
      await flush(this.#leaves);
    }
    await flush(path);
    await rename(path, this.#path(digest));
    await flush(this.#folder);
  }

  /** Digests of the blocks of an upload or share, one after the other; undefined when they are not there. */
  async leaves(digest: string): Promise<Buffer | undefined> {
    try {
      return await readFile(join(this.#leaves, digest));
    } catch (cause) {
      if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
      throw cause;
    }
  }

  async discard(sender: string, digest: string): Promise<void> {
    await rm(this.#partialPath(sender, digest), { force: true });
  }

  /** Stores an object of the coordinator's own and returns its digest. */
  async put(bytes: Uint8Array): Promise<string> {
    const digest = sha256Hex(bytes);
    const draft = this.#partialPath('@coordinator', digest);
    await writeFile(draft, bytes, { mode: 0o600 });
    await flush(draft);
    await rename(draft, this.#path(digest));
    await flush(this.#folder);
    return digest;
  }

  /** Where an object of the coordinator's own can be written before it has a digest. The same name is the same place: what a crash left is written over. */
  draftPath(name: string): string {
    return this.#partialPath('@coordinator', name);
  }

  /** Gives what was written at {@link draftPath} its name. @returns digest and size */
  async adopt(name: string): Promise<{ digest: string; size: number }> {
    const draft = this.draftPath(name);
    const hash = createHash('sha256');
    let size = 0;
    for await (const chunk of createReadStream(draft) as AsyncIterable<Buffer>) {
      hash.update(chunk);
      size += chunk.length;
    }
    const digest = hash.digest('hex');
    await flush(draft);
    await rename(draft, this.#path(digest));
    await flush(this.#folder);
    return { digest, size };
  }

  /** Where an object lies, for threads that read it block by block. */
  pathOf(digest: string): string {
    return this.#path(digest);
  }

  /** Whether the file is there, with this size. */
  async has(digest: string, size: number): Promise<boolean> {
    return (await sizeOf(this.#path(digest))) === size;
  }

  /** @throws CoordinatorError 'unknown-object' when the file is gone or has another size */
  async require(digest: string, size: number): Promise<void> {
    const found = await sizeOf(this.#path(digest));
    if (found !== size) throw gone(digest, new Error(`size ${found} instead of ${size}`));
  }

  /** @throws CoordinatorError 'unknown-object' when the file is gone */
  read(digest: string): Uint8Array {
    try {
      return readFileSync(this.#path(digest));
    } catch (cause) {
      throw gone(digest, cause);
    }
  }

  /** `length` bytes from `offset` on, in chunks. @throws CoordinatorError 'unknown-object' when the file is gone */
  async *stream(digest: string, offset: number, length: number, chunkBytes: number): AsyncIterable<Buffer> {
    if (length === 0) return;
    const bytes = createReadStream(this.#path(digest), { start: offset, end: offset + length - 1, highWaterMark: chunkBytes });
    try {
      yield* bytes as AsyncIterable<Buffer>;
    } catch (cause) {
      throw (cause as NodeJS.ErrnoException).code === 'ENOENT' ? gone(digest, cause) : cause;
    }
  }

  #path(digest: string): string {
    return join(this.#folder, digest);
  }

  #partialPath(sender: string, digest: string): string {
    return join(this.#partial, `${sender}.${digest}`);
  }
}

function gone(digest: string, cause: unknown): CoordinatorError {
  return new CoordinatorError('unknown-object', `The object ${digest} is not in the object store. Restore the data folder's objects.`, {
    cause,
  });
}

async function sizeOf(path: string): Promise<number | undefined> {
  try {
    return (await stat(path)).size;
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw cause;
  }
}

async function flush(path: string): Promise<void> {
  const handle = await open(path, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
