import { createHash } from 'node:crypto';
import type { BlockSpan } from '@coferment/crypto';

/**
 * Digests of an object while it arrives: of the whole, which is its name, and of each block, the leaves of the Merkle tree that its site signs for. The
 * file need not be read again for either.
 */
export class UploadDigest {
  readonly #whole = createHash('sha256');
  readonly #leaves: Buffer[] = [];
  readonly #block: Uint8Array;
  #filled = 0;

  /**
   * @param spans where its blocks lie; none for an object that has no blocks
   * @param check called with each block that is whole; what it throws ends the upload
   */
  constructor(
    private readonly spans: readonly BlockSpan[],
    private readonly check: (block: Uint8Array, coefficients: number) => void = () => {},
  ) {
    this.#block = new Uint8Array(Math.max(0, ...spans.slice(0, 1).map(({ length }) => length)));
  }

  update(chunk: Uint8Array): void {
    this.#whole.update(chunk);
    for (let at = 0; at < chunk.length;) {
      const span = this.spans[this.#leaves.length];
      if (span === undefined) return;
      const piece = chunk.subarray(at, at + span.length - this.#filled);
      this.#block.set(piece, this.#filled);
      this.#filled += piece.length;
      at += piece.length;
      if (this.#filled === span.length) this.#close(span);
    }
  }

  /** Ends the digests. `leaves`: those of the blocks, one after the other. */
  end(): { digest: string; leaves: Buffer } {
    return { digest: this.#whole.digest('hex'), leaves: Buffer.concat(this.#leaves) };
  }

  #close({ length, coefficients }: BlockSpan): void {
    const block = this.#block.subarray(0, length);
    this.check(block, coefficients);
    this.#leaves.push(createHash('sha256').update(block).digest());
    this.#filled = 0;
  }
}
