import { encodeVkey, publicKeyFromSeed, signCheckpoint, verifierKey } from '../note/index.js';
import { MerkleTree, leafHash } from '../tree/index.js';

export const ORIGIN = 'ledger.example/acme';
export const LOG_SEED = new Uint8Array(32).fill(1);
export const LOG_KEY = verifierKey('log', ORIGIN, publicKeyFromSeed(LOG_SEED));
export const LOG_VKEY = encodeVkey(LOG_KEY);

/** A log that can be cut off and continued in other words. */
export class ForkableLog {
  constructor(readonly words: readonly string[]) {}

  static counting(size: number): ForkableLog {
    return new ForkableLog(Array.from({ length: size }, (_, index) => `entry ${index}`));
  }

  /** The first `at` entries, then others up to `size`. */
  forked(at: number, size: number): ForkableLog {
    return new ForkableLog([...this.words.slice(0, at), ...Array.from({ length: size - at }, (_, index) => `other ${at + index}`)]);
  }

  get tree(): MerkleTree {
    return new MerkleTree(this.words.map((word) => leafHash(Buffer.from(word))));
  }

  checkpoint(size = this.words.length, seed = LOG_SEED, origin = ORIGIN): string {
    return signCheckpoint({ origin, size: BigInt(size), root: this.tree.root(BigInt(size)) }, seed);
  }

  proof(older: number, newer = this.words.length): Uint8Array[] {
    return older === 0 ? [] : this.tree.consistencyProof(BigInt(older), BigInt(newer));
  }
}
