/** What an object is made from: a file of this machine, or bytes. */
export type BucketSource = { path: string } | { bytes: Uint8Array };

export interface StoredObject {
  name: string;
  size: number;
  /** When it was last written, by the server's clock. */
  writtenMs: number;
}

/**
 * An S3-compatible bucket, as far as objects need it. Every call is tried again a few times where a fault may pass.
 * All throw BucketFault.
 */
export interface ObjectBucket {
  /** For people: `s3://bucket/prefix`. */
  readonly place: string;

  /** Stores bytes whose SHA-256, in hexadecimal, the server compares with what has arrived. Storing them again changes nothing but their age. */
  put(name: string, source: BucketSource, facts: { size: number; digest: string }): Promise<void>;

  /** As {@link put}, where there is nothing of this name yet; what is there stays. */
  putNew(name: string, bytes: Uint8Array): Promise<void>;

  /** Writes an object to a file. @returns what was written, whatever the name promises; undefined where there is no such object */
  fetch(name: string, path: string): Promise<{ size: number; digest: string } | undefined>;

  read(name: string): Promise<Uint8Array | undefined>;

  head(name: string): Promise<StoredObject | undefined>;

  /** Asks for an object once, within three seconds. It need not be there. */
  probe(name: string): Promise<void>;

  /** Calls that are under way, and all later ones, fail at once. */
  giveUp(): void;

  remove(name: string): Promise<void>;

  /** All objects under the prefix, without those of deeper folders. */
  list(): AsyncIterable<StoredObject>;
}
