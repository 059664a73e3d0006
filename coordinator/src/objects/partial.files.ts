import { createReadStream } from 'node:fs';
import { type FileHandle, copyFile, mkdir, open, readdir, rm, stat, truncate } from 'node:fs/promises';
import { join } from 'node:path';
import { sizeOf } from './durable.file.js';
import { ObjectGone } from './object.gone.js';
import type { UnfinishedUpload } from './object.store.js';

const DIGEST_LENGTH = 64;

/** What is still arriving, and the coordinator's own drafts: `<sender>.<digest>` and, where coordinators share the folder, their names behind it. */
export class PartialFiles {
  readonly folder: string;

  /** @param suffix what ends the names of this coordinator's files */
  constructor(
    folder: string,
    private readonly suffix: string,
  ) {
    this.folder = join(folder, 'partial');
  }

  async open(): Promise<void> {
    await mkdir(this.folder, { recursive: true, mode: 0o700 });
  }

  path(sender: string, digest: string): string {
    return join(this.folder, `${sender}.${digest}${this.suffix}`);
  }

  async received(sender: string, digest: string): Promise<number> {
    return (await this.#longest(sender, digest))?.size ?? 0;
  }

  async takeOver(sender: string, digest: string, size: number): Promise<void> {
    const own = this.path(sender, digest);
    if (((await sizeOf(own)) ?? 0) === size) return;
    const longest = await this.#longest(sender, digest);
    if (longest === undefined || longest.size < size) throw new ObjectGone(digest, own, 'what had arrived of it is not there any more');
    if (longest.path !== own) await copyFile(longest.path, own);
    await truncate(own, size);
  }

  async *arrived(sender: string, digest: string): AsyncIterable<Buffer> {
    yield* createReadStream(this.path(sender, digest)) as AsyncIterable<Buffer>;
  }

  append(sender: string, digest: string): Promise<FileHandle> {
    return open(this.path(sender, digest), 'a', 0o600);
  }

  async discard(sender: string, digest: string): Promise<void> {
    for (const path of await this.#all(sender, digest)) await rm(path, { force: true });
  }

  async unfinished(sender: string): Promise<UnfinishedUpload[]> {
    const names = (await readdir(this.folder)).filter((name) => name.startsWith(`${sender}.`));
    const found = await Promise.all(
      names.map(async (name) => {
        const stats = await stat(join(this.folder, name)).catch(() => undefined);
        const digest = name.slice(sender.length + 1, sender.length + 1 + DIGEST_LENGTH);
        return stats === undefined ? [] : [{ digest, bytes: stats.size, changedMs: stats.mtimeMs }];
      }),
    );
    return eachOnce(found.flat());
  }

  /** Of all coordinators. A digest has one length, so no other upload's name begins like it. */
  async #all(sender: string, digest: string): Promise<string[]> {
    const names = await readdir(this.folder);
    return names
      .filter((name) => name.startsWith(`${sender}.${digest}`) && !name.includes('.leaves'))
      .map((name) => join(this.folder, name));
  }

  async #longest(sender: string, digest: string): Promise<{ path: string; size: number } | undefined> {
    const own = this.path(sender, digest);
    let longest: { path: string; size: number } | undefined;
    for (const path of await this.#all(sender, digest)) {
      const size = await sizeOf(path);
      // Of two as long its own needs no copy.
      if (size !== undefined && (size > (longest?.size ?? -1) || (size === longest?.size && path === own))) longest = { path, size };
    }
    return longest;
  }
}

/** An upload that went on at another coordinator lies in a file of each: one upload, as young as the newer file. */
function eachOnce(files: readonly UnfinishedUpload[]): UnfinishedUpload[] {
  const uploads = new Map<string, UnfinishedUpload>();
  for (const { digest, bytes, changedMs } of files) {
    const other = uploads.get(digest) ?? { digest, bytes: 0, changedMs };
    uploads.set(digest, { digest, bytes: other.bytes + bytes, changedMs: Math.max(other.changedMs, changedMs) });
  }
  return [...uploads.values()];
}
