import { createHash, type Hash } from 'node:crypto';
import { closeSync, openSync, readSync } from 'node:fs';
import { type BlockSpan, merkleRoot } from '@coferment/crypto';

/** What the coordinator learns from a signed statement: which object, and the Merkle root over its blocks. */
export interface SignedObject {
  object: string;
  merkleRoot: string;
  bytes: number;
}

/** A stored object that is read and hashed block by block, and held against what was signed when all of it has passed. */
export class SignedFile {
  readonly #file: number;
  readonly #leaves: Uint8Array[] = [];

  constructor(
    path: string,
    private readonly signed: SignedObject,
  ) {
    this.#file = openSync(path, 'r');
  }

  /** The bytes of a block, in the front of `into`. */
  read({ offset, length }: BlockSpan, into: Uint8Array): Uint8Array {
    if (readSync(this.#file, into, 0, length, offset) !== length) throw new Error(`The object ${this.signed.object} ends too early.`);
    return into.subarray(0, length);
  }

  hash(block: Uint8Array): void {
    const hash: Hash = createHash('sha256');
    this.#leaves.push(hash.update(block).digest());
  }

  /** @throws Error unless all blocks were hashed and are those that were signed for */
  finish(): void {
    closeSync(this.#file);
    if (merkleRoot(this.#leaves) !== this.signed.merkleRoot)
      throw new Error(`The object ${this.signed.object} is not what was signed for.`);
  }
}
