import type { Checkpoint } from '../note/checkpoint.note.js';
import type { MerkleTree } from '../tree/merkle.tree.js';
import { verifyConsistency } from './consistency.proof.js';

/**
 * How many of the first entries are those that the checkpoint commits to, by consistency proofs (RFC 9162 §2.1.4) from trees of what was received: whoever
 * serves entries that are not those that were signed is told which is the first. Asks for about log₂(size) proofs. A log whose proofs are wrong as well
 * can only make the number smaller: what is counted is proven.
 * @param received the tree of the entries as they came, as many as the checkpoint says
 * @param proofFrom the log's proof from an older size to the checkpoint's
 */
export async function provenPrefix(
  received: MerkleTree,
  checkpoint: Pick<Checkpoint, 'size' | 'root'>,
  proofFrom: (older: bigint) => Promise<readonly Uint8Array[]>,
): Promise<bigint> {
  let proven = 0n;
  let unproven = checkpoint.size + 1n;
  while (unproven - proven > 1n) {
    const older = (proven + unproven) >> 1n;
    const claim = { olderSize: older, olderRoot: received.root(older), newerSize: checkpoint.size, newerRoot: checkpoint.root };
    if (verifyConsistency({ ...claim, proof: await proofFrom(older) })) proven = older;
    else unproven = older;
  }
  return proven;
}
