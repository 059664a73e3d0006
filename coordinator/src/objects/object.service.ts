import type { FileHandle } from 'node:fs/promises';
import { formatDuration } from '@coferment/consortium';
import { type AggregationParameters, type BlockSpan, ciphertextAccumulator, merkleRoot } from '@coferment/crypto';
import { Injectable } from '@nestjs/common';
import type { Caller } from '../agent-port/caller.js';
import type { SiteMember } from '../enrolment/site.entity.js';
import { CoordinatorError } from '../errors/index.js';
import { ConsortiumIdentity } from '../identity/consortium.identity.js';
import { Database } from '../persistence/database.js';
import type { RoundRow } from '../rounds/round.entity.js';
import { type RunView, isMember } from '../runs/run.view.js';
import { RunViews } from '../runs/run.views.js';
import { blockSpans, countedIn, spansOfSize } from './counted-object.rule.js';
import type { ObjectRow, StoredPurpose } from './object.entity.js';
import { ObjectRepository } from './object.repository.js';
import { ObjectStore } from './object.store.js';
import { requireDueSize } from './object-size.rule.js';
import { UploadDigest } from './upload.digest.js';

export const CHUNK_BYTES = 262_144;
/** Block digests in one answer: half a megabyte. */
const MOST_DIGESTS = 2 ** 14;
const DIGEST_BYTES = 32;

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

interface Writer {
  /** The chunk that is being written. */
  writing: Promise<void>;
}

/** Who may store and read what. */
@Injectable()
export class ObjectService {
  /** The stream that writes an upload now. A resumed upload takes over from one whose connection died unnoticed. */
  readonly #writers = new Map<string, Writer>();

  constructor(
    private readonly store: ObjectStore,
    private readonly repository: ObjectRepository,
    private readonly database: Database,
    private readonly views: RunViews,
    private readonly identity: ConsortiumIdentity,
  ) {}

  async uploadState(site: string, digest: string): Promise<UploadState> {
    const row = await this.#find(digest);
    if (row !== null) return { received: row.size, complete: true };
    return { received: await this.store.received(site, digest), complete: false };
  }

  /** Takes the rest of an object from where it stopped. Every chunk is kept as it comes, so an interruption costs at most one. */
  async upload(member: SiteMember, part: UploadPart, chunks: AsyncIterable<Uint8Array>): Promise<UploadState> {
    const known = await this.#find(part.digest);
    if (known !== null) return { received: known.size, complete: true };
    const view = await this.views.load(part.run);
    const { site } = member;
    if (!isMember(view, member))
      throw new CoordinatorError('forbidden', `"${site}" with this identity key is not a site of run ${part.run}. Nothing was stored.`);
    requireDueSize(view, site, part.purpose, part.size);
    await this.#requireOffset(site, part);
    const spans = spansOfSize(view, part.purpose, part.size);
    const { parameters } = view.epoch.roster;
    // A spoilt sum cannot be repeated with another set, so what would spoil it never gets so far as to be counted.
    const check = part.purpose === 'ciphertext' ? blockCheck(parameters) : undefined;
    const digests = new UploadDigest(spans, check);
    const received = await this.#append(site, part, digests, chunks);
    if (received < part.size) return { received, complete: false };
    await this.store.finish(site, part.digest, { size: part.size, ...digests.end() });
    const row: ObjectRow = {
      digest: part.digest,
      size: part.size,
      purpose: part.purpose,
      run: part.run,
      site,
      reader: null,
      storedMs: Date.now(),
      removedMs: null,
    };
    await this.database.transaction((manager) => this.repository.save(manager, row));
    return { received, complete: true };
  }

  /**
   * @param length bytes from the offset on; 0 for all that follow
   * @throws CoordinatorError 'unknown-object', also for objects that this reader may not see: it learns nothing of them
   */
  async download(
    reader: Caller,
    digest: string,
    { offset, length }: { offset: number; length: number },
  ): Promise<{ size: number; purpose: StoredPurpose; chunks: AsyncIterable<Buffer> }> {
    const row = await this.#find(digest);
    if (row === null || !(await this.#mayRead(row, reader)))
      throw new CoordinatorError('unknown-object', `There is no object ${digest} for this caller.`);
    await this.#requireKept(row);
    const { size, purpose } = row;
    if (offset > size || length > size - offset)
      throw new CoordinatorError('wrong-offset', `The object ${digest} has ${size} bytes; ${length} from ${offset} on are beyond its end.`);
    return { size, purpose, chunks: this.store.stream(digest, offset, length === 0 ? size - offset : length, CHUNK_BYTES) };
  }

  /**
   * An object that anybody may recompute a published sum from, for whoever serves it to people without an account: only where the charter lets anyone read the
   * ledger, and then what is published, the uploads that were counted and the shares that were named, of closed sums. Undefined for everything else.
   */
  async openForReaders(digest: string): Promise<{ size: number; chunks: AsyncIterable<Buffer> } | undefined> {
    if (this.identity.facts.ledgerReaders !== 'anyone') return undefined;
    const row = await this.#find(digest);
    if (row === null || !(row.purpose === 'published' || (await this.#isCounted(row)))) return undefined;
    const { size } = row;
    if (row.removedMs !== null) return undefined;
    // Before the first byte: whoever asked is told that it is not there, not cut off in the middle.
    if (!(await this.store.has(digest, size))) return undefined;
    return { size, chunks: this.store.stream(digest, 0, size, CHUNK_BYTES) };
  }

  /** Digests of at most 2^14 blocks from `offset` on. @throws CoordinatorError as {@link download} */
  async blockDigests(member: SiteMember, digest: string, offset: number): Promise<Buffer[]> {
    const row = await this.#find(digest);
    const counted = row === null ? undefined : await this.#countedFor(row, member);
    if (row === null || counted === undefined)
      throw new CoordinatorError('unknown-object', `There is no ciphertext or decryption share ${digest} for this caller.`);
    await this.#requireKept(row);
    await this.store.require(digest, row.size);
    const leaves = leavesOf(await this.#leaves(row, blockSpans(counted.view, counted.round, row.purpose)));
    if (offset >= leaves.length)
      throw new CoordinatorError('wrong-offset', `The object ${digest} has ${leaves.length} blocks; there is no block ${offset}.`);
    return leaves.slice(offset, offset + MOST_DIGESTS);
  }

  /** Stores an object of the coordinator's own for everybody. Not inside a transaction: it writes a file. */
  async publish(bytes: Uint8Array): Promise<string> {
    const digest = await this.store.put(bytes);
    return this.#published(digest, bytes.length);
  }

  /** Stores what was written at the store's draft path, for everybody. Not inside a transaction: it reads a file. */
  async publishDraft(name: string): Promise<string> {
    const { digest, size } = await this.store.adopt(name);
    return this.#published(digest, size);
  }

  async #published(digest: string, size: number): Promise<string> {
    const own = { purpose: 'published', run: null, site: null, reader: null } as const;
    const row: ObjectRow = { digest, size, ...own, storedMs: Date.now(), removedMs: null };
    await this.database.transaction((manager) => this.repository.save(manager, row));
    return digest;
  }

  /** A site's object that a statement refers to is there, whole. @throws CoordinatorError 'unknown-object', 'wrong-size' */
  async requireStored(site: string, digest: string, purpose: StoredPurpose, size: number): Promise<ObjectRow> {
    const row = await this.#find(digest);
    if (row === null || row.site !== site || row.purpose !== purpose) {
      throw new CoordinatorError(
        'unknown-object',
        `The statement names the object ${digest}, which "${site}" has not uploaded. Upload it first.`,
      );
    }
    if (row.size !== size)
      throw new CoordinatorError('wrong-size', `The object ${digest} has ${row.size} bytes; this statement needs ${size}.`);
    await this.store.require(digest, size);
    return row;
  }

  /** Merkle root over the blocks of an upload or share, as they arrived. @throws CoordinatorError as {@link requireStored} */
  async merkleRootOf(
    view: RunView,
    site: string,
    digest: string,
    purpose: 'ciphertext' | 'decryption-share',
    size: number,
  ): Promise<string> {
    const row = await this.requireStored(site, digest, purpose, size);
    return merkleRoot(leavesOf(await this.#leaves(row, spansOfSize(view, purpose, size))));
  }

  /** From beside the object, or, where that is lost, from its bytes again. */
  async #leaves({ digest, size }: ObjectRow, spans: readonly BlockSpan[]): Promise<Buffer> {
    const stored = await this.store.leaves(digest);
    if (stored !== undefined) return stored;
    const digests = new UploadDigest(spans);
    for await (const chunk of this.store.stream(digest, 0, size, CHUNK_BYTES)) digests.update(chunk);
    const { leaves } = digests.end();
    await this.store.keepLeaves(digest, leaves);
    return leaves;
  }

  async #append(site: string, part: UploadPart, digests: UploadDigest, chunks: AsyncIterable<Uint8Array>): Promise<number> {
    const key = `${site} ${part.digest}`;
    const writer: Writer = { writing: Promise.resolve() };
    const before = this.#writers.get(key);
    this.#writers.set(key, writer);
    let file: FileHandle | undefined;
    try {
      // What the one before has begun to write is written; it writes nothing more.
      await before?.writing;
      let received = await this.#requireOffset(site, part);
      await this.store.takeOver(site, part.digest, received);
      if (received > 0) for await (const chunk of this.store.arrived(site, part.digest)) digests.update(chunk);
      file = await this.store.append(site, part.digest);
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
        const written = file.appendFile(chunk);
        writer.writing = written.catch(() => undefined);
        try {
          digests.update(chunk);
        } catch (error) {
          await writer.writing;
          await this.store.discard(site, part.digest);
          throw error;
        }
        await written;
        received += chunk.length;
      }
      return received;
    } finally {
      await file?.close();
      if (this.#writers.get(key) === writer) this.#writers.delete(key);
    }
  }

  /** @returns where the upload goes on */
  async #requireOffset(site: string, { digest, offset }: UploadPart): Promise<number> {
    const start = await this.store.received(site, digest);
    if (offset === start) return start;
    throw new CoordinatorError(
      'wrong-offset',
      `The upload of ${digest} goes on at byte ${start}, not ${offset}. Ask where it stopped, then resume.`,
    );
  }

  #find(digest: string): Promise<ObjectRow | null> {
    return this.database.transaction((manager) => this.repository.find(manager, digest));
  }

  /**
   * What is of a run, its own sites may read: by name and key, since somebody else may have joined under the name. Uploads and shares of closed sums also the
   * operator and auditors, who recompute them. It tells them nothing new: the coordinator has all of it in any case, and τ shares, made for one set and one
   * sum, open that sum and no other upload, whoever holds them (secure-aggregation.md R6); the sum itself is published. Of sums that are open, and of uploads
   * that were left out, nobody is shown anything.
   */
  async #mayRead(row: ObjectRow, reader: Caller): Promise<boolean> {
    const member = reader.kind === 'site' ? reader : undefined;
    switch (row.purpose) {
      case 'published':
        return true;
      case 'dealing-masked':
        return (await this.#runOf(row, member)) !== undefined;
      case 'dealing-box':
        return row.reader === member?.site && (await this.#runOf(row, member)) !== undefined;
      case 'ciphertext':
      case 'decryption-share':
        if (member !== undefined && this.identity.facts.ledgerReaders !== 'anyone')
          return (await this.#countedFor(row, member)) !== undefined;
        return reader.kind !== 'stranger' && (await this.#isCounted(row));
    }
  }

  /** @throws CoordinatorError 'unknown-object' for bytes that were given up */
  async #requireKept({ digest, removedMs, run }: ObjectRow): Promise<void> {
    if (removedMs === null || run === null) return;
    const { ciphertexts } = (await this.views.load(run)).plan.retention;
    throw new CoordinatorError(
      'unknown-object',
      `The object ${digest} was removed on ${new Date(removedMs).toISOString().slice(0, 10)}: by the plan's retention, ciphertexts and shares are kept for ${formatDuration(ciphertexts)} after the end of their run. Sums, models and certificates stay.`,
    );
  }

  async #isCounted(row: ObjectRow): Promise<boolean> {
    return row.run !== null && countedIn(await this.views.load(row.run), row) !== undefined;
  }

  /** The sum in which this object counted, for a site of its run; to all others it does not exist. */
  async #countedFor(row: ObjectRow, member: SiteMember | undefined): Promise<{ view: RunView; round: RoundRow } | undefined> {
    const view = await this.#runOf(row, member);
    const round = view === undefined ? undefined : countedIn(view, row);
    return view === undefined || round === undefined ? undefined : { view, round };
  }

  /** The run that a site's object is of, for the sites of it. */
  async #runOf({ run }: ObjectRow, member: SiteMember | undefined): Promise<RunView | undefined> {
    if (run === null || member === undefined) return undefined;
    const view = await this.views.load(run);
    return isMember(view, member) ? view : undefined;
  }
}

/** @throws CryptoError 'malformed' for a block that no honest encryption gives */
function blockCheck(parameters: AggregationParameters): (block: Uint8Array, coefficients: number) => void {
  return (block, coefficients) => ciphertextAccumulator(coefficients, parameters).check(block);
}

function leavesOf(bytes: Buffer): Buffer[] {
  return Array.from({ length: bytes.length / DIGEST_BYTES }, (_, index) =>
    bytes.subarray(index * DIGEST_BYTES, (index + 1) * DIGEST_BYTES),
  );
}
