import { LedgerError } from '../errors/index.js';
import { AuthenticTiles } from '../tiles/index.js';
import { type FoundDifference, type History, compareHistories } from './two.histories.js';

/** Why a checkpoint does not follow an earlier one. */
export type BrokenSuccession =
  /** It is smaller, and the earlier log begins with it. */
  | { readonly kind: 'rolled-back' }
  /** It is larger, and the tiles that are served with it are not its own: nothing can be said yet. */
  | { readonly kind: 'unproven'; readonly reason: string }
  /** They are two logs. Without `difference`, two roots of one size say so; `reason` is why the entry is not known. */
  | { readonly kind: 'contradicts'; readonly difference: FoundDifference | undefined; readonly reason: string };

/**
 * Compares what is served with what a reader has, by a few tiles.
 * @returns undefined when the later one begins with the earlier one
 * @throws LedgerError 'missing-resource'; Error for a person to read when the reader's own files are damaged
 */
export async function brokenSuccession(mine: History, theirs: History): Promise<BrokenSuccession | undefined> {
  const { size, root } = mine.seen;
  try {
    const tiles = await AuthenticTiles.open(theirs.read, theirs.seen);
    if (size <= theirs.seen.size && Buffer.compare(await tiles.rootAt(size), root) === 0) return undefined;
  } catch (error) {
    if (!(error instanceof LedgerError)) throw error;
    const reason = error.message;
    if (size === theirs.seen.size && Buffer.compare(theirs.seen.root, root) !== 0)
      return { kind: 'contradicts', difference: undefined, reason };
    // What is missing may come in a moment; what is wrong was signed.
    if (size < theirs.seen.size && error.code !== 'missing-resource') return { kind: 'unproven', reason };
    throw error;
  }
  await requireOwnTiles(mine);
  const difference = await compareHistories(mine, theirs);
  return difference ? { kind: 'contradicts', difference, reason: '' } : { kind: 'rolled-back' };
}

async function requireOwnTiles({ seen, read }: History): Promise<void> {
  try {
    await AuthenticTiles.open(read, seen);
  } catch (error) {
    throw new Error(`the folder's own files are damaged, so the server's log cannot be compared with them: ${(error as Error).message}`, {
      cause: error,
    });
  }
}
