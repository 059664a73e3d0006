import { createHash } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { CoordinatorError } from '../errors/index.js';
import { Database } from '../persistence/database.js';
import type { RoundRow } from '../rounds/round.entity.js';
import type { RunView } from '../runs/run.view.js';
import { RunViews } from '../runs/run.views.js';
import { blockSpans, countedIn } from './counted-object.rule.js';
import type { ObjectRow, StoredPurpose } from './object.entity.js';
import { ObjectRepository } from './object.repository.js';
import { ObjectStore } from './object.store.js';
import { requireDueSize } from './object-size.rule.js';

export const CHUNK_BYTES = 262_144;
/** Block digests in one answer: half a megabyte. */
const MOST_DIGESTS = 2 ** 14;

export interface UploadPart {
  digest: string;
  size: number;
  offset: number;
  purpose: Exclude<StoredPurpose, 'published'>;
  run: string;
}

export interface UploadState {
  received: number;
  complete: boolean;
}

/** Who may store and read what. */
@Injectable()
export class ObjectService {
  /** The stream that writes an upload now. A resumed upload takes over from one whose connection died unnoticed. */
  readonly #writers = new Map<string, symbol>();

  constructor(
    private readonly store: ObjectStore,
    private readonly repository: ObjectRepository,
    private readonly database: Database,
    private readonly views: RunViews,
  ) {}

  async uploadState(site: string, digest: string): Promise<UploadState> {
    const row = await this.#find(digest);
    if (row !== null) return { received: row.size, complete: true };
    return { received: await this.store.received(site, digest), complete: false };
  }

  /** Takes the rest of an object from where it stopped. Every chunk is kept as it comes, so an interruption costs at most one. */
  async upload(site: string, part: UploadPart, chunks: AsyncIterable<Uint8Array>): Promise<UploadState> {
    const known = await this.#find(part.digest);
    if (known !== null) return { received: known.size, complete: true };
    requireDueSize(await this.views.load(part.run), site, part.purpose, part.size);
    const start = await this.store.received(site, part.digest);
    if (part.offset !== start) {
      throw new CoordinatorError(
        'wrong-offset',
        `The upload of ${part.digest} goes on at byte ${start}, not ${part.offset}. Ask where it stopped, then resume.`,
      );
    }
    const received = await this.#append(site, part, start, chunks);
    if (received < part.size) return { received, complete: false };
    await this.store.finish(site, part.digest);
    const row: ObjectRow = {
      digest: part.digest,
      size: part.size,
      purpose: part.purpose,
      run: part.run,
      site,
      reader: null,
      storedMs: Date.now(),
    };
    await this.database.transaction((manager) => this.repository.save(manager, row));
    return { received, complete: true };
  }

  /**
   * @param length bytes from the offset on; 0 for all that follow
   * @throws CoordinatorError 'unknown-object', also for objects that this reader may not see: it learns nothing of them
   */
  async download(
    site: string | undefined,
    digest: string,
    { offset, length }: { offset: number; length: number },
  ): Promise<{ size: number; chunks: AsyncIterable<Buffer> }> {
    const row = await this.#find(digest);
    if (row === null || !(await this.#mayRead(row, site)))
      throw new CoordinatorError('unknown-object', `There is no object ${digest} for this caller.`);
    const { size } = row;
    if (offset > size || length > size - offset)
      throw new CoordinatorError('wrong-offset', `The object ${digest} has ${size} bytes; ${length} from ${offset} on are beyond its end.`);
    return { size, chunks: this.store.stream(digest, offset, length === 0 ? size - offset : length, CHUNK_BYTES) };
  }

  /** Digests of at most 2^14 blocks from `offset` on, of the bytes as they are stored. @throws CoordinatorError as {@link download} */
  async blockDigests(site: string, digest: string, offset: number): Promise<Buffer[]> {
    const row = await this.#find(digest);
    const counted = row === null ? undefined : await this.#countedFor(row, site);
    if (row === null || counted === undefined)
      throw new CoordinatorError('unknown-object', `There is no ciphertext or decryption share ${digest} for this caller.`);
    const spans = blockSpans(counted.view, counted.round, row.purpose);
    if (offset >= spans.length)
      throw new CoordinatorError('wrong-offset', `The object ${digest} has ${spans.length} blocks; there is no block ${offset}.`);
    const digests: Buffer[] = [];
    for (const span of spans.slice(offset, offset + MOST_DIGESTS)) {
      const hash = createHash('sha256');
      for await (const chunk of this.store.stream(digest, span.offset, span.length, CHUNK_BYTES)) hash.update(chunk);
      digests.push(hash.digest());
    }
    return digests;
  }

  /** Stores an object of the coordinator's own for everybody. Not inside a transaction: it writes a file. */
  async publish(bytes: Uint8Array): Promise<string> {
    const digest = await this.store.put(bytes);
    const row: ObjectRow = { digest, size: bytes.length, purpose: 'published', run: null, site: null, reader: null, storedMs: Date.now() };
    await this.database.transaction((manager) => this.repository.save(manager, row));
    return digest;
  }

  /** The bytes of a site's object that a statement refers to. @throws CoordinatorError 'unknown-object', 'wrong-size' */
  async contentOf(site: string, digest: string, purpose: StoredPurpose, size: number): Promise<Uint8Array> {
    const row = await this.#find(digest);
    if (row === null || row.site !== site || row.purpose !== purpose) {
      throw new CoordinatorError(
        'unknown-object',
        `The statement names the object ${digest}, which "${site}" has not uploaded. Upload it first.`,
      );
    }
    if (row.size !== size)
      throw new CoordinatorError('wrong-size', `The object ${digest} has ${row.size} bytes; this statement needs ${size}.`);
    return this.store.read(digest);
  }

  async #append(site: string, part: UploadPart, start: number, chunks: AsyncIterable<Uint8Array>): Promise<number> {
    const key = `${site} ${part.digest}`;
    const writer = Symbol(key);
    this.#writers.set(key, writer);
    const file = await this.store.append(site, part.digest);
    let received = start;
    try {
      for await (const chunk of chunks) {
        if (this.#writers.get(key) !== writer)
          throw new CoordinatorError('wrong-offset', `Another upload of ${part.digest} has taken over.`);
        if (received + chunk.length > part.size) {
          await this.store.discard(site, part.digest);
          throw new CoordinatorError(
            'wrong-size',
            `The upload of ${part.digest} has more than its ${part.size} bytes. Upload the object again from the start.`,
          );
        }
        await file.write(chunk);
        received += chunk.length;
      }
    } finally {
      await file.close();
      if (this.#writers.get(key) === writer) this.#writers.delete(key);
    }
    return received;
  }

  #find(digest: string): Promise<ObjectRow | null> {
    return this.database.transaction((manager) => this.repository.find(manager, digest));
  }

  async #mayRead(row: ObjectRow, site: string | undefined): Promise<boolean> {
    switch (row.purpose) {
      case 'published':
        return true;
      case 'dealing-masked':
        return site !== undefined;
      case 'dealing-box':
        return site !== undefined && row.reader === site;
      case 'ciphertext':
      case 'decryption-share':
        return (await this.#countedFor(row, site)) !== undefined;
    }
  }

  /** The sum in which this object counted, for a site of its run; to all others it does not exist. */
  async #countedFor(row: ObjectRow, site: string | undefined): Promise<{ view: RunView; round: RoundRow } | undefined> {
    if (row.run === null || site === undefined) return undefined;
    const view = await this.views.load(row.run);
    const round = view.run.sites.includes(site) ? countedIn(view, row) : undefined;
    return round === undefined ? undefined : { view, round };
  }
}
