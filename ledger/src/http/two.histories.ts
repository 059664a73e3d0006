import { parseStatement } from '@coferment/consortium';
import { sha256Hex } from '@coferment/crypto';
import { parseEntry } from '../entry/index.js';
import { payloadPath } from '../export/index.js';
import { inclusionProof } from '../proof/index.js';
import { AuthenticTiles, type ReadFile, TILE_WIDTH, firstDifferingEntry } from '../tiles/index.js';
import { leafHash } from '../tree/index.js';
import type { DifferingEntry, IncludedLeaf, SeenCheckpoint } from '../witness/index.js';

/** One of two versions of a log: what its checkpoint commits to, and where its tiles and payloads are. */
export interface History {
  readonly seen: SeenCheckpoint;
  readonly read: ReadFile;
}

/** The first entry in which two histories differ, with proof that each has its own there. */
export interface FoundDifference {
  readonly entry: DifferingEntry;
  /** What the entry says in either history, e.g. `share of site-a`. */
  readonly first: string;
  readonly second: string;
}

/**
 * Compares two versions of a log by their tiles.
 * @returns undefined when one is the beginning of the other
 * @throws LedgerError when tiles are missing or are not those of their checkpoint
 */
export async function compareHistories(one: History, other: History): Promise<FoundDifference | undefined> {
  const [first, second] = [await AuthenticTiles.open(one.read, one.seen), await AuthenticTiles.open(other.read, other.seen)];
  const index = await firstDifferingEntry(first, second);
  if (index === undefined) return undefined;
  return {
    entry: { index, first: await included(first, index), second: await included(second, index) },
    first: await whatItSays(first, one.read, index),
    second: await whatItSays(second, other.read, index),
  };
}

async function included(tiles: AuthenticTiles, index: bigint): Promise<IncludedLeaf> {
  await tiles.loadPath(index);
  return { leafHash: tiles.subtreeHash(index, index + 1n), proof: inclusionProof(tiles, index, tiles.size) };
}

/** For a person: the contradiction stands without it, so whatever cannot be read is said, and no error. */
async function whatItSays(tiles: AuthenticTiles, read: ReadFile, index: bigint): Promise<string> {
  try {
    const entry = (await tiles.entries(index / BigInt(TILE_WIDTH)))[Number(index % BigInt(TILE_WIDTH))]!;
    const { payloadHash } = parseEntry(entry);
    const payload = await read(payloadPath(payloadHash));
    if (!payload || sha256Hex(payload) !== payloadHash)
      return `an entry whose content is not served (leaf ${Buffer.from(leafHash(entry)).toString('hex').slice(0, 16)})`;
    const { name, predicate } = parseStatement(payload);
    return 'site' in predicate ? `${name} of ${predicate.site}` : name;
  } catch (error) {
    return `an entry that cannot be read (${(error as Error).message})`;
  }
}
