/** What proofs are made from. A tree in memory answers it; so can anything that keeps the hashes of complete subtrees (a database, tiles). */
export interface SubtreeHashes {
  /** The RFC 6962 tree hash of leaves [begin, end), 32 bytes; begin < end. */
  subtreeHash(begin: bigint, end: bigint): Uint8Array;
}
