import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { sha256Hex } from '@coferment/crypto';
import { writeFileDurably } from '../keys/atomic.file.js';

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

  /** Undefined when the bytes are gone or damaged. */
  read(digest: string): Uint8Array | undefined {
    const path = this.#path(digest);
    if (!existsSync(path)) return undefined;
    const bytes = new Uint8Array(readFileSync(path));
    return sha256Hex(bytes) === digest ? bytes : undefined;
  }

  remove(digest: string): void {
    rmSync(this.#path(digest), { force: true });
  }

  #path(digest: string): string {
    if (!/^[0-9a-f]{64}$/.test(digest)) throw new RangeError(`"${digest.slice(0, 80)}" is no digest.`);
    return join(this.folder, digest);
  }
}
