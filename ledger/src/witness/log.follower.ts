import { LedgerError } from '../errors/index.js';
import { CHECKPOINT_PATH } from '../export/index.js';
import { openCheckpoint, type VerifierKey } from '../note/index.js';
import { consistencyProof } from '../proof/index.js';
import { AuthenticTiles, type ReadFile } from '../tiles/index.js';
import { type SeenCheckpoint, seenCheckpoint } from './checkpoint.witness.js';
import type { SplitView } from './split.view.js';

/** What a log that is read over HTTP offers a witness. */
export type FollowedOffer =
  | { readonly kind: 'offer'; readonly origin: string; readonly note: string; readonly oldSize: bigint; readonly proof: Uint8Array[] }
  /** Older than what was seen; a mirror may be late, or the log hides its newest entries. */
  | { readonly kind: 'behind'; readonly origin: string; readonly size: bigint }
  | { readonly kind: 'split-view'; readonly origin: string; readonly evidence: SplitView };

/**
 * Reads a log's checkpoint and makes the proof that a witness needs from its tiles, a few for any size.
 * @param last what this witness has seen of a log
 * @throws LedgerError when the checkpoint is not signed by a known key, or the tiles are not those of the checkpoint
 */
export async function readOffer(
  read: ReadFile,
  logKeys: readonly VerifierKey[],
  last: (origin: string) => SeenCheckpoint | undefined,
): Promise<FollowedOffer> {
  const bytes = await read(CHECKPOINT_PATH);
  if (!bytes) throw new LedgerError('missing-resource', `there is no file "${CHECKPOINT_PATH}" at this address; is a ledger served there?`);
  const note = Buffer.from(bytes).toString('utf8');
  const { origin, size, root } = openCheckpoint(note, logKeys);
  const seen = last(origin);
  const oldSize = seen?.size ?? 0n;
  if (size < oldSize) return { kind: 'behind', origin, size };
  if (!seen || oldSize === 0n || oldSize === size) return { kind: 'offer', origin, note, oldSize, proof: [] };
  const tiles = await AuthenticTiles.open(read, { size, root });
  const prefix = await tiles.rootAt(oldSize);
  const proof = consistencyProof(await tiles.loadPath(oldSize), oldSize, size);
  if (Buffer.compare(prefix, seen.root) === 0) return { kind: 'offer', origin, note, oldSize, proof };
  return {
    kind: 'split-view',
    origin,
    evidence: { origin, first: seen.note, second: seenCheckpoint(note, logKeys).note, prefix: { root: prefix, proof } },
  };
}
