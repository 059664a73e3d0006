import { createHash } from 'node:crypto';
import { createReadStream, readFileSync } from 'node:fs';
import { type FileHandle, mkdir, open, rename, rm, stat, writeFile } from 'node:fs/promises';
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

  constructor(settings: Settings) {
    this.#folder = join(settings.folder, 'objects');
    this.#partial = join(this.#folder, 'partial');
  }

  async open(): Promise<void> {
    await mkdir(this.#partial, { recursive: true, mode: 0o700 });
  }

  /** Bytes of an upload that have arrived so far. */
  async received(sender: string, digest: string): Promise<number> {
    return (await sizeOf(this.#partialPath(sender, digest))) ?? 0;
  }

  async append(sender: string, digest: string): Promise<FileHandle> {
    return open(this.#partialPath(sender, digest), 'a', 0o600);
  }

  /** Checks a whole upload and gives it its name. @throws CoordinatorError 'wrong-digest'; what had arrived is thrown away then */
  async finish(sender: string, digest: string): Promise<void> {
    const path = this.#partialPath(sender, digest);
    const hash = createHash('sha256');
    for await (const chunk of createReadStream(path)) hash.update(chunk as Buffer);
    const found = hash.digest('hex');
    if (found !== digest) {
      await rm(path, { force: true });
      throw new CoordinatorError(
        'wrong-digest',
        `The uploaded bytes have the digest ${found}, not ${digest}. Upload the object again from the start.`,
      );
    }
    await flush(path);
    await rename(path, this.#path(digest));
    await flush(this.#folder);
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
    return digest;
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
  } catch {
    return undefined;
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
