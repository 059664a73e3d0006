import { createHash, randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, statSync } from 'node:fs';
import { type FileHandle, open, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { sha256Hex } from '@coferment/crypto';
import { syncFolder, writeFileDurably } from '../keys/atomic.file.js';

const PIECE_BYTES = 256 * 1024;

/** A stored object that is whole. It is read piece by piece: ciphertexts and shares of large models do not fit twice into the memory of a small site. */
export interface StoredObject {
  digest: string;
  size: number;
  /** Its bytes from `offset` on, at most 256 KiB at a time. */
  pieces: (offset: number) => AsyncIterable<Uint8Array>;
}

/**
 * Objects of this site by digest: what it made (ciphertexts, shares, dealings) is stored whole before the first byte is sent, and what it approved
 * (plans, rosters) stays readable without the coordinator. A file that no longer has its digest counts as lost.
 */
export class ObjectCache {
  constructor(private readonly folder: string) {}

  /** Durable when it returns. @returns the digest */
  store(bytes: Uint8Array): string {
    const digest = sha256Hex(bytes);
    if (!existsSync(this.#path(digest))) writeFileDurably(this.#path(digest), bytes);
    return digest;
  }

  /** Stores an object while it is being made; nothing is left of one that fails half-way. Durable when it resolves. @returns the digest */
  async write(pieces: AsyncIterable<Uint8Array>): Promise<string> {
    mkdirSync(this.folder, { recursive: true, mode: 0o700 });
    const draft = join(this.folder, `${randomBytes(6).toString('hex')}.tmp`);
    const file = await open(draft, 'wx', 0o600);
    try {
      const hash = createHash('sha256');
      try {
        for await (const piece of pieces) {
          hash.update(piece);
          await file.appendFile(piece);
        }
        await file.sync();
      } finally {
        await file.close();
      }
      const digest = hash.digest('hex');
      renameSync(draft, this.#path(digest));
      syncFolder(this.folder);
      return digest;
    } catch (error) {
      await rm(draft, { force: true });
      throw error;
    }
  }

  /** Undefined when the bytes are gone or damaged. */
  read(digest: string): Uint8Array | undefined {
    const path = this.#path(digest);
    if (!existsSync(path)) return undefined;
    const bytes = new Uint8Array(readFileSync(path));
    return sha256Hex(bytes) === digest ? bytes : undefined;
  }

  /** As {@link read}, without holding the bytes in memory. */
  async find(digest: string): Promise<StoredObject | undefined> {
    const path = this.#path(digest);
    if (!existsSync(path)) return undefined;
    const hash = createHash('sha256');
    let size = 0;
    for await (const piece of piecesOf(path, 0)) {
      hash.update(piece);
      size += piece.length;
    }
    return hash.digest('hex') === digest ? { digest, size, pieces: (offset) => piecesOf(path, offset) } : undefined;
  }

  /** Whether there is a file of this name, whole or not. */
  has(digest: string): boolean {
    return existsSync(this.#path(digest));
  }

  sizeOf(digest: string): number {
    return statSync(this.#path(digest)).size;
  }

  remove(digest: string): void {
    rmSync(this.#path(digest), { force: true });
  }

  #path(digest: string): string {
    if (!/^[0-9a-f]{64}$/.test(digest)) throw new RangeError(`"${digest.slice(0, 80)}" is no digest.`);
    return join(this.folder, digest);
  }
}

async function* piecesOf(path: string, offset: number): AsyncGenerator<Uint8Array> {
  const file: FileHandle = await open(path, 'r');
  try {
    for (let position = offset; ;) {
      // Not one buffer for all: what a transfer has queued is still being read.
      const { buffer, bytesRead } = await file.read(Buffer.allocUnsafeSlow(PIECE_BYTES), 0, PIECE_BYTES, position);
      if (bytesRead === 0) return;
      yield buffer.subarray(0, bytesRead);
      position += bytesRead;
    }
  } finally {
    await file.close();
  }
}
