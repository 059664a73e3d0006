/** Stored objects that anybody who may read the ledger may read. */
export interface ReadableObjects {
  /** Undefined when there is no such object, or it is not for readers of the ledger. @param digest SHA-256, hex */
  openForReaders(digest: string): Promise<{ size: number; chunks: AsyncIterable<Buffer> } | undefined>;
}

export const READABLE_OBJECTS = Symbol('objects for readers of the ledger');
