import { randomBytes } from 'node:crypto';
import { rmSync, statSync } from 'node:fs';
import { type FileHandle, mkdir, open, readFile, readdir, rename, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { sha256Hex } from '@coferment/crypto';
import { CoordinatorError } from '../errors/index.js';
import type { Settings } from '../settings.js';
import { digestOf, flush, sizeOf } from './durable.file.js';
import { ObjectGone } from './object.gone.js';
import { ObjectStore, type ReceivedUpload, type UnfinishedUpload } from './object.store.js';
import { type StoredFile, type StoredKind, kindOfObject } from './orphan.rule.js';
import { PartialFiles } from './partial.files.js';
import { newStoreName, parseStoreName } from './store.name.js';

/** Another coordinator that makes the same file at this moment has written it by then. */
const NAMED_WITHIN_MS = 2000;
/** A chunk of an upload: less would find room on a disk that takes no upload. */
const PROBE_BYTES = 262_144;
const OWN = '@coordinator';

/** Objects in a folder, on this machine or on a file server. */
export class FolderStore extends ObjectStore {
  readonly place: string;
  readonly folder: string;
  protected readonly partial: PartialFiles;
  /** Digests of the blocks of uploads and shares: every site asks for all of them, and making them again would read every object once a site. */
  readonly #leaves: string;

  constructor(settings: Settings, folder = settings.objects ?? join(settings.folder, 'objects')) {
    super();
    this.place = folder;
    this.folder = folder;
    this.partial = new PartialFiles(folder, settings.replica === undefined ? '' : `.${settings.replica}`);
    this.#leaves = join(folder, 'leaves');
  }

  async open(): Promise<void> {
    await this.partial.open();
    await mkdir(this.#leaves, { recursive: true, mode: 0o700 });
  }

  async name(): Promise<string> {
    const file = join(this.folder, 'store.json');
    try {
      await writeFile(file, newStoreName(), { flag: 'wx', mode: 0o600, flush: true });
      await flush(this.folder);
    } catch (cause) {
      if ((cause as NodeJS.ErrnoException).code !== 'EEXIST') throw cause;
    }
    for (const endMs = Date.now() + NAMED_WITHIN_MS; ; await pause(50)) {
      try {
        return parseStoreName(await readFile(file, 'utf8'));
      } catch (cause) {
        if (Date.now() > endMs) throw new CoordinatorError('folder-unusable', `${file} is damaged. Restore it from a backup.`, { cause });
      }
    }
  }

  async probe(): Promise<void> {
    const file = this.partial.path('@probe', String(process.pid));
    try {
      await writeFile(file, randomBytes(PROBE_BYTES), { mode: 0o600, flush: true });
    } finally {
      await rm(file, { force: true }).catch(() => undefined);
    }
  }

  giveUp(): void {}

  received(sender: string, digest: string): Promise<number> {
    return this.partial.received(sender, digest);
  }

  takeOver(sender: string, digest: string, size: number): Promise<void> {
    return this.partial.takeOver(sender, digest, size);
  }

  arrived(sender: string, digest: string): AsyncIterable<Buffer> {
    return this.partial.arrived(sender, digest);
  }

  append(sender: string, digest: string): Promise<FileHandle> {
    return this.partial.append(sender, digest);
  }

  async finish(sender: string, digest: string, found: ReceivedUpload): Promise<void> {
    const path = this.partial.path(sender, digest);
    const size = await sizeOf(path);
    if (found.digest !== digest || size !== found.size) {
      await this.discard(sender, digest);
      throw new CoordinatorError(
        'wrong-digest',
        `The ${size} uploaded bytes have the digest ${found.digest}, not ${digest}. Upload the object again from the start.`,
      );
    }
    if (found.leaves.length > 0) await this.#keepLeaves(this.partial.path(sender, `${digest}.leaves`), digest, found.leaves);
    await this.keep(path, digest, size);
    await this.discard(sender, digest);
  }

  unfinished(sender: string): Promise<UnfinishedUpload[]> {
    return this.partial.unfinished(sender);
  }

  discard(sender: string, digest: string): Promise<void> {
    return this.partial.discard(sender, digest);
  }

  async leaves(digest: string): Promise<Buffer | undefined> {
    try {
      return await readFile(join(this.#leaves, digest));
    } catch (cause) {
      if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
      throw cause;
    }
  }

  keepLeaves(digest: string, leaves: Buffer): Promise<void> {
    return this.#keepLeaves(this.partial.path(OWN, `${digest}.leaves`), digest, leaves);
  }

  async put(bytes: Uint8Array): Promise<string> {
    const digest = sha256Hex(bytes);
    const draft = this.draftPath(digest);
    await writeFile(draft, bytes, { mode: 0o600 });
    await this.keep(draft, digest, bytes.length);
    return digest;
  }

  draftPath(name: string): string {
    return this.partial.path(OWN, name);
  }

  async discardDraft(name: string): Promise<void> {
    await rm(this.draftPath(name), { force: true });
  }

  async adopt(name: string): Promise<{ digest: string; size: number }> {
    const draft = this.draftPath(name);
    const { digest, size } = await digestOf(draft);
    await this.keep(draft, digest, size);
    return { digest, size };
  }

  pathOf(digest: string): string {
    return join(this.folder, digest);
  }

  held<T>(_digests: readonly string[], work: () => Promise<T>): Promise<T> {
    return work();
  }

  distrust(_digest: string): Promise<void> {
    return Promise.resolve();
  }

  async has(digest: string, size: number): Promise<boolean> {
    return (await sizeOf(this.pathOf(digest))) === size;
  }

  async require(digest: string, size: number): Promise<void> {
    const found = await sizeOf(this.pathOf(digest));
    if (found !== size) throw this.gone(digest, found === undefined ? 'it is gone' : `it has ${found} bytes instead of ${size}`);
  }

  async read(digest: string): Promise<Uint8Array> {
    try {
      return await readFile(this.pathOf(digest));
    } catch (cause) {
      throw (cause as NodeJS.ErrnoException).code === 'ENOENT' ? this.gone(digest, 'it is gone', cause) : cause;
    }
  }

  async *stream(digest: string, offset: number, length: number, chunkBytes: number): AsyncIterable<Buffer> {
    if (length === 0) return;
    const file = await this.opened(digest);
    yield* file.createReadStream({ start: offset, end: offset + length - 1, highWaterMark: chunkBytes }) as AsyncIterable<Buffer>;
  }

  async *files(): AsyncIterable<StoredFile> {
    yield* this.objects();
    yield* filesOf(this.#leaves, () => 'leaves');
    yield* filesOf(this.partial.folder, () => 'draft');
  }

  /** The look and the deed without a pause between: nothing of this process comes between them. */
  remove(file: StoredFile): Promise<boolean> {
    const path = this.#placeOf(file);
    const found = statSync(path, { throwIfNoEntry: false });
    if (found === undefined || found.mtimeMs > file.writtenMs) return Promise.resolve(false);
    rmSync(path);
    return Promise.resolve(true);
  }

  async inspect(digest: string, size: number, deep: boolean): Promise<string | undefined> {
    const path = this.pathOf(digest);
    const found = await sizeOf(path);
    if (found === undefined) return 'it is gone';
    if (found !== size) return `it has ${found} bytes instead of ${size}`;
    if (!deep) return undefined;
    const { digest: other } = await digestOf(path);
    return other === digest ? undefined : `its bytes have the digest ${other}`;
  }

  protected objects(): AsyncIterable<StoredFile> {
    return filesOf(this.folder, (name) => (kindOfObject(name) === 'object' ? 'object' : undefined));
  }

  #placeOf({ kind, name }: StoredFile): string {
    switch (kind) {
      case 'object':
        return join(this.folder, name);
      case 'leaves':
        return join(this.#leaves, name);
      case 'draft':
        return join(this.partial.folder, name);
    }
  }

  /** For reading, at once: whatever happens to the name afterwards, its bytes stay there. */
  protected async opened(digest: string): Promise<FileHandle> {
    try {
      return await open(this.pathOf(digest), 'r');
    } catch (cause) {
      throw (cause as NodeJS.ErrnoException).code === 'ENOENT' ? this.gone(digest, 'it is gone', cause) : cause;
    }
  }

  /** Gives a whole file its name. Its age begins anew: what is kept is young until its row is written, however long it was arriving. */
  protected async keep(path: string, digest: string, _size: number): Promise<void> {
    const now = new Date();
    await utimes(path, now, now);
    await flush(path);
    await rename(path, this.pathOf(digest));
    await flush(this.folder);
  }

  protected gone(digest: string, reason: string, cause?: unknown): ObjectGone {
    return new ObjectGone(digest, `${this.place}/${digest}`, reason, { cause });
  }

  async #keepLeaves(draft: string, digest: string, leaves: Buffer): Promise<void> {
    await writeFile(draft, leaves, { mode: 0o600, flush: true });
    await rename(draft, join(this.#leaves, digest));
    await flush(this.#leaves);
  }
}

/** @param kindOf undefined for what is none of the store's */
async function* filesOf(folder: string, kindOf: (name: string) => StoredKind | undefined): AsyncGenerator<StoredFile> {
  for (const name of await readdir(folder)) {
    const kind = kindOf(name);
    if (kind === undefined) continue;
    const found = await stat(join(folder, name)).catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return undefined;
      throw error;
    });
    if (found?.isFile() === true) yield { kind, name, size: found.size, writtenMs: found.mtimeMs };
  }
}
