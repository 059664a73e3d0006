import type { FileHandle } from 'node:fs/promises';
import type { StoredFile } from './orphan.rule.js';

/** What was received of an upload, with the digests of its blocks one after the other. */
export interface ReceivedUpload {
  size: number;
  digest: string;
  leaves: Buffer;
}

/** What has arrived so far of an upload that is not whole. */
export interface UnfinishedUpload {
  digest: string;
  bytes: number;
  /** When the last of it came, by the disk's clock. */
  changedMs: number;
}

/**
 * Files named by the SHA-256 of their bytes. A file stands under its name only when it is whole and checked; what is still arriving has a name of its
 * own per sender and coordinator, so that nobody can spoil another's upload, and survives restarts. Coordinators that share the store read what others have
 * received and never write to it: a stream that is not known to be dead yet cannot get its bytes between those of its successor.
 */
export abstract class ObjectStore {
  /** For people: a folder, or `s3://bucket/prefix`. */
  abstract readonly place: string;
  /** The folder on this machine that drafts and what is arriving are written to. */
  abstract readonly folder: string;

  /** Makes it ready, and tries what it will have to do. @throws CoordinatorError 'folder-unusable', 'unreachable' */
  abstract open(): Promise<void>;

  /** What the store is called, for good: drawn by the first who asks. @throws CoordinatorError 'folder-unusable' */
  abstract name(): Promise<string>;

  /** Looks whether it can be written to now. @throws what a write would meet */
  abstract probe(): Promise<void>;

  /** Nothing is waited for any more: what is under way to another machine is cut off. */
  abstract giveUp(): void;

  /** Bytes of an upload that have arrived so far, here or, in a shared folder, at another coordinator. */
  abstract received(sender: string, digest: string): Promise<number>;

  /** Makes the first `size` bytes that have arrived this coordinator's own to go on with. The caller has asked for {@link received}. */
  abstract takeOver(sender: string, digest: string, size: number): Promise<void>;

  /** What a sender has begun to upload, and when the last of it came. */
  abstract unfinished(sender: string): Promise<UnfinishedUpload[]>;

  /** The bytes of an upload that have arrived so far. */
  abstract arrived(sender: string, digest: string): AsyncIterable<Buffer>;

  abstract append(sender: string, digest: string): Promise<FileHandle>;

  /**
   * Gives a whole upload its name.
   * @param found size and digests of what was received
   * @throws CoordinatorError 'wrong-digest'; what had arrived is thrown away then
   */
  abstract finish(sender: string, digest: string, found: ReceivedUpload): Promise<void>;

  /** What had arrived is thrown away, wherever it did. */
  abstract discard(sender: string, digest: string): Promise<void>;

  /** Digests of the blocks of an upload or share, one after the other; undefined when they are not there. */
  abstract leaves(digest: string): Promise<Buffer | undefined>;

  /** Keeps the digests that were made again from the object, for the next who asks. */
  abstract keepLeaves(digest: string, leaves: Buffer): Promise<void>;

  /** Stores an object of the coordinator's own and returns its digest. */
  abstract put(bytes: Uint8Array): Promise<string>;

  /** Where an object of the coordinator's own can be written before it has a digest. The same name is the same place: what a crash left is written over. */
  abstract draftPath(name: string): string;

  abstract discardDraft(name: string): Promise<void>;

  /** Gives what was written at {@link draftPath} its name. @returns digest and size */
  abstract adopt(name: string): Promise<{ digest: string; size: number }>;

  /** Where an object lies on this machine while it is {@link held}, for threads that read it block by block. */
  abstract pathOf(digest: string): string;

  /** Does some work while these objects lie on this machine. @throws ObjectGone before the work, for one that is not to be had */
  abstract held<T>(digests: readonly string[], work: () => Promise<T>): Promise<T>;

  /** What lies on this machine was found to be damaged: where the store has another copy, that one is read next. */
  abstract distrust(digest: string): Promise<void>;

  /** Whether the object is there, with this size. */
  abstract has(digest: string, size: number): Promise<boolean>;

  /** @throws ObjectGone when the object is gone or has another size */
  abstract require(digest: string, size: number): Promise<void>;

  /** @throws ObjectGone when the object is gone */
  abstract read(digest: string): Promise<Uint8Array>;

  /** `length` bytes from `offset` on, in chunks. @throws ObjectGone when the object is gone */
  abstract stream(digest: string, offset: number, length: number, chunkBytes: number): AsyncIterable<Buffer>;

  /** Every file that the store knows as its own, in no order; what somebody else has put there is left out. */
  abstract files(): AsyncIterable<StoredFile>;

  /** Removes a file, unless it was written again since it was found. @returns whether it was removed */
  abstract remove(file: StoredFile): Promise<boolean>;

  /**
   * Looks at an object without taking it to this machine for longer.
   * @param deep reads all of it and compares it with its name; otherwise only its size is looked at
   * @returns what is wrong with it; undefined when nothing is
   */
  abstract inspect(digest: string, size: number, deep: boolean): Promise<string | undefined>;
}
