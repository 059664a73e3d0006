import { createHash, randomBytes } from 'node:crypto';
import { createReadStream, readFileSync } from 'node:fs';
import { type FileHandle, copyFile, mkdir, open, readFile, readdir, rename, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { sha256Hex } from '@coferment/crypto';
import { Injectable } from '@nestjs/common';
import { z } from 'zod';
import { CoordinatorError } from '../errors/index.js';
import { Settings } from '../settings.js';

const nameSchema = z.strictObject({ schema: z.literal('coferment-objects/1'), id: z.string().regex(/^[0-9a-f]{32}$/) });
/** Another coordinator that makes the same file at this moment has written it by then. */
const NAMED_WITHIN_MS = 2000;

/**
 * Files named by the SHA-256 of their bytes. A file stands under its name only when it is whole and checked; what is still arriving has a name of its
 * own per sender and coordinator, so that nobody can spoil another's upload, and survives restarts. Coordinators that share the folder read what others have
 * received and never write to it: a stream that is not known to be dead yet cannot get its bytes between those of its successor.
 */
@Injectable()
export class ObjectStore {
  readonly #folder: string;
  readonly #partial: string;
  /** Digests of the blocks of uploads and shares: every site asks for all of them, and making them again would read every object once a site. */
  readonly #leaves: string;
  /** What ends the names of this coordinator's drafts. */
  readonly #suffix: string;

  constructor(settings: Settings) {
    this.#folder = settings.objects ?? join(settings.folder, 'objects');
    this.#suffix = settings.replica === undefined ? '' : `.${settings.replica}`;
    this.#partial = join(this.#folder, 'partial');
    this.#leaves = join(this.#folder, 'leaves');
  }

  async open(): Promise<void> {
    for (const folder of [this.#partial, this.#leaves]) await mkdir(folder, { recursive: true, mode: 0o700 });
  }

  /** What the folder is called, for good: drawn by the first who asks. @throws CoordinatorError 'folder-unusable' */
  async name(): Promise<string> {
    const file = join(this.#folder, 'store.json');
    try {
      const text = `${JSON.stringify({ schema: 'coferment-objects/1', id: randomBytes(16).toString('hex') })}\n`;
      await writeFile(file, text, { flag: 'wx', mode: 0o600, flush: true });
      await flush(this.#folder);
    } catch (cause) {
      if ((cause as NodeJS.ErrnoException).code !== 'EEXIST') throw cause;
    }
    for (const endMs = Date.now() + NAMED_WITHIN_MS; ; await pause(50)) {
      try {
        return nameSchema.parse(JSON.parse(await readFile(file, 'utf8'))).id;
      } catch (cause) {
        if (Date.now() > endMs) throw new CoordinatorError('folder-unusable', `${file} is damaged. Restore it from a backup.`, { cause });
      }
    }
  }

  /** Bytes of an upload that have arrived so far, here or at another coordinator. */
  async received(sender: string, digest: string): Promise<number> {
    return (await this.#longest(sender, digest))?.size ?? 0;
  }

  /** Makes the first `size` bytes that have arrived this coordinator's own to go on with. The caller has asked for {@link received}. */
  async takeOver(sender: string, digest: string, size: number): Promise<void> {
    const own = this.#partialPath(sender, digest);
    if (((await sizeOf(own)) ?? 0) === size) return;
    const longest = await this.#longest(sender, digest);
    if (longest === undefined || longest.size < size) throw gone(digest, new Error('what had arrived of it is not there any more'));
    if (longest.path !== own) await copyFile(longest.path, own);
    await truncate(own, size);
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
      await this.discard(sender, digest);
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
    await this.discard(sender, digest);
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

  /** What had arrived is thrown away, wherever it did. */
  async discard(sender: string, digest: string): Promise<void> {
    for (const path of await this.#partials(sender, digest)) await rm(path, { force: true });
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

  async discardDraft(name: string): Promise<void> {
    await rm(this.draftPath(name), { force: true });
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
    return join(this.#partial, `${sender}.${digest}${this.#suffix}`);
  }

  /** Of all coordinators. A digest has one length, so no other upload's name begins like it. */
  async #partials(sender: string, digest: string): Promise<string[]> {
    const names = await readdir(this.#partial);
    return names
      .filter((name) => name.startsWith(`${sender}.${digest}`) && !name.includes('.leaves'))
      .map((name) => join(this.#partial, name));
  }

  async #longest(sender: string, digest: string): Promise<{ path: string; size: number } | undefined> {
    const own = this.#partialPath(sender, digest);
    let longest: { path: string; size: number } | undefined;
    for (const path of await this.#partials(sender, digest)) {
      const size = await sizeOf(path);
      // Of two as long its own needs no copy.
      if (size !== undefined && (size > (longest?.size ?? -1) || (size === longest?.size && path === own))) longest = { path, size };
    }
    return longest;
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
