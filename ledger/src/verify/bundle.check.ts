import { type PredicateName, type Statement, parseStatement } from '@coferment/consortium';
import { bytesToHex, sha256Hex } from '@coferment/crypto';
import { type LedgerEntry, parseEntry, verifySignature } from '../entry/index.js';
import { folderOf, objectPath, payloadPath, stateOf } from '../export/index.js';
import {
  type ReadFile,
  TILE_WIDTH,
  type TileCoordinate,
  type TileProblem,
  compareTile,
  decodeBundle,
  leavesOf,
  readBundle,
  readTile,
  tileRoot,
} from '../tiles/index.js';
import { HASH_BYTES } from '../tree/index.js';
import { type EntryDifference, entryDifferences } from './entry.difference.js';
import { objectsOf } from './stored.objects.js';
import type { CheckProblem } from './verification.report.js';

/** So many changed entries are named in one bundle. */
const MAX_DIFFERENCES = 100;

/** A statement whose entry and payload are sound. Whose key it is, the log before it says. */
export interface CheckedStatement {
  readonly index: number;
  /** Hex. */
  readonly publicKey: string;
  /** Why the signature does not verify under this key. */
  readonly signatureFault?: string;
  readonly statement: Statement;
}

export interface NamedDifference {
  readonly difference: EntryDifference;
  /** What the entry is, where it can be read. */
  readonly name: PredicateName | undefined;
}

/** All that can be said of one entry bundle without knowing the others. */
export interface CheckedBundle {
  readonly entries: number;
  /** Why the bundle could not be read as the entries of its tile. */
  readonly fault?: CheckProblem;
  /** Hashes of its entries, 32 bytes each. */
  readonly leaves: Uint8Array;
  /** Of a full bundle. */
  readonly root?: Uint8Array;
  readonly tileProblem?: TileProblem;
  /** The hashes that the level-0 tile has instead. */
  readonly logged?: Uint8Array;
  readonly differences: readonly NamedDifference[];
  readonly entryProblems: readonly CheckProblem[];
  readonly payloadProblems: readonly CheckProblem[];
  readonly statements: readonly CheckedStatement[];
  readonly objects: { readonly named: number; readonly present: number; readonly problems: readonly CheckProblem[] };
}

/** Everything about a bundle that needs no other one: hashes, entries, payloads, statements, and every signature under the key in its entry. */
export async function checkBundle(read: ReadFile, tile: TileCoordinate): Promise<CheckedBundle> {
  let entries: Uint8Array[];
  try {
    entries = await readBundle(read, tile);
  } catch (error) {
    return brokenBundle(read, tile, { where: 'tile/entries', problem: (error as Error).message });
  }
  const first = Number(tile.index) * TILE_WIDTH;
  const leaves = leavesOf(entries);
  const entryProblems: CheckProblem[] = [];
  const payloadProblems: CheckProblem[] = [];
  const parsed = entries.flatMap((bytes, position) => {
    try {
      return [{ index: first + position, entry: parseEntry(bytes) }];
    } catch (error) {
      entryProblems.push({ where: `entry ${first + position}`, problem: (error as Error).message });
      return [];
    }
  });
  // Asked for together: over a network one after the other would be two hundred round trips.
  const payloads = await Promise.all(parsed.map(async ({ entry }) => read(payloadPath(entry.payloadHash))));
  const statements = parsed.flatMap(({ index, entry }, position) => {
    try {
      return [checkedStatement(index, entry, payloads[position])];
    } catch (error) {
      payloadProblems.push({ where: `entry ${index} (${payloadPath(entry.payloadHash)})`, problem: (error as Error).message });
      return [];
    }
  });
  const { problem, stored } = await compareTile(read, { ...tile, level: 0 }, leaves);
  const names = new Map(statements.map(({ index, statement }) => [index, statement.name]));
  const found = problem && stored ? entryDifferences(leaves, stored, first, MAX_DIFFERENCES) : [];
  return {
    entries: entries.length,
    leaves,
    ...(tile.width === TILE_WIDTH ? { root: tileRoot(leaves) } : {}),
    ...(problem ? { tileProblem: problem, ...(stored ? { logged: stored } : {}) } : {}),
    differences: found.map((difference) => ({ difference, name: names.get(difference.index) })),
    entryProblems,
    payloadProblems,
    statements,
    objects: await checkObjects(read, statements),
  };
}

/** @throws Error for a person to read */
function checkedStatement(index: number, entry: LedgerEntry, payload: Uint8Array | undefined): CheckedStatement {
  if (!payload) throw new Error('the payload is missing');
  const publicKey = bytesToHex(entry.publicKey);
  const found = sha256Hex(payload);
  if (found !== entry.payloadHash) throw new Error(`the payload was changed: it hashes to ${found}`);
  const statement = parseStatement(payload);
  try {
    verifySignature(entry, payload);
    return { index, publicKey, statement };
  } catch (error) {
    return { index, publicKey, statement, signatureFault: (error as Error).message };
  }
}

/** What the hash tile still tells of a bundle that does not have as many entries as its tile. */
async function brokenBundle(read: ReadFile, tile: TileCoordinate, fault: CheckProblem): Promise<CheckedBundle> {
  const nothing = { entryProblems: [], payloadProblems: [], statements: [], objects: { named: 0, present: 0, problems: [] } };
  const bundle = await readTile(read, tile);
  const hashes = await readTile(read, { ...tile, level: 0 });
  let entries: Uint8Array[];
  try {
    entries = decodeBundle(bundle?.bytes ?? new Uint8Array());
  } catch {
    entries = [];
  }
  const leaves = leavesOf(entries);
  // The tile may be broken as well.
  const isWhole = hashes !== undefined && hashes.bytes.length === hashes.width * HASH_BYTES;
  const logged = isWhole ? hashes.bytes.subarray(0, tile.width * HASH_BYTES) : undefined;
  const found =
    entries.length > 0 && logged !== undefined ? entryDifferences(leaves, logged, Number(tile.index) * TILE_WIDTH, MAX_DIFFERENCES) : [];
  return {
    ...nothing,
    entries: entries.length,
    fault,
    leaves,
    ...(logged ? { logged } : {}),
    differences: found.map((difference) => ({ difference, name: undefined })),
  };
}

/** Objects (ciphertexts, shares, sums) may stay behind for size; those that are there must be the ones that were signed. */
async function checkObjects(read: ReadFile, statements: readonly CheckedStatement[]): Promise<CheckedBundle['objects']> {
  const problems: CheckProblem[] = [];
  let named = 0;
  let present = 0;
  for (const { statement } of statements) {
    for (const digest of objectsOf(statement)) {
      named++;
      const found = await objectHash(read, digest);
      if (found === undefined) continue;
      present++;
      if (found !== digest) problems.push({ where: objectPath(digest), problem: `it hashes to ${found}` });
    }
  }
  return { named, present, problems };
}

/** In a folder an object may be larger than memory, so it is hashed as it is read. */
async function objectHash(read: ReadFile, digest: string): Promise<string | undefined> {
  const folder = folderOf(read);
  if (folder === undefined) {
    const object = await read(objectPath(digest));
    return object && sha256Hex(object);
  }
  const found = await stateOf(folder, { digest, size: undefined });
  if (found.state === 'missing') return undefined;
  return found.state === 'right' ? digest : found.found;
}
