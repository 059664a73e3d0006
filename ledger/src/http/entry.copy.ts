import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { sha256Hex } from '@coferment/crypto';
import { parseEntry } from '../entry/index.js';
import { LedgerError } from '../errors/index.js';
import { payloadPath } from '../export/index.js';
import { AuthenticTiles, type ReadFile, TILE_WIDTH, encodeBundle, levelCount, tilePath, tilesOfLevel } from '../tiles/index.js';
import { HASH_BYTES } from '../tree/index.js';
import { forEachConcurrently } from './concurrent.work.js';
import type { FolderWriter } from './folder.writer.js';

export interface CopyProgress {
  readonly what: 'entries' | 'objects';
  readonly done: number;
  readonly total: number;
}

export interface EntryCopy {
  readonly tiles: AuthenticTiles;
  readonly served: { readonly read: ReadFile };
  readonly folder: ReadFile;
  readonly writer: FolderWriter;
  /** Entries that the folder's checkpoint covers: their full tiles are there and were verified then. */
  readonly before: bigint;
  readonly progress: (progress: CopyProgress) => void;
}

const TILES_AT_ONCE = 16;
// Bundles times payloads is what the connections carry.
const BUNDLES_AT_ONCE = 2;
const PAYLOADS_AT_ONCE = 8;

/** Tiles above the leaves; those of the leaves come with their entries. */
export async function copyHashTiles(tiles: AuthenticTiles, writer: FolderWriter, before: bigint): Promise<void> {
  for (let level = levelCount(tiles.size) - 1; level > 0; level--) {
    await forEachConcurrently(tilesOfLevel(level, tiles.size), TILES_AT_ONCE, async ({ index, width }) => {
      if (isCovered(level, index, before) && (await writer.has(tilePath({ level, index, width }), width * HASH_BYTES))) return;
      await writer.write(tilePath({ level, index, width }), await tiles.tile(level, index));
    });
  }
}

/**
 * Entry bundles, their leaf tiles and the payloads of their statements.
 * @throws LedgerError that names the entry which is not the one that the checkpoint commits to, or whose payload is missing or another one
 */
export async function copyEntries({ tiles, served, folder, writer, before, progress }: EntryCopy): Promise<void> {
  const total = Number(tiles.size);
  let done = 0;
  await forEachConcurrently(tilesOfLevel('entries', tiles.size), BUNDLES_AT_ONCE, async ({ index, width }) => {
    const [bundlePath, leavesPath] = [tilePath({ level: 'entries', index, width }), tilePath({ level: 0, index, width })];
    const isHere = (await writer.has(bundlePath)) && (await writer.has(leavesPath, width * HASH_BYTES));
    if (!(isHere && isCovered(0, index, before))) {
      const entries = (isHere && (await ownEntries(tiles, folder, index))) || (await tiles.entries(index));
      const first = Number(index) * TILE_WIDTH;
      await forEachConcurrently(entries.entries(), PAYLOADS_AT_ONCE, ([position, entry]) =>
        copyPayload(served, writer, first + position, entry),
      );
      await writer.write(leavesPath, await tiles.tile(0, index));
      await writer.write(bundlePath, encodeBundle(entries));
    }
    done += width;
    progress({ what: 'entries', done, total });
  });
}

/** What an interrupted copy has fetched already, if it is of this log. */
async function ownEntries(tiles: AuthenticTiles, folder: ReadFile, index: bigint): Promise<Uint8Array[] | undefined> {
  try {
    return await tiles.entries(index, folder);
  } catch (error) {
    if (error instanceof LedgerError) return undefined;
    throw error;
  }
}

async function copyPayload(served: { readonly read: ReadFile }, writer: FolderWriter, index: number, bytes: Uint8Array): Promise<void> {
  const { payloadHash } = entryAt(index, bytes);
  const path = payloadPath(payloadHash);
  if (await writer.has(path)) return;
  const payload = await served.read(path);
  if (!payload) throw new LedgerError('missing-resource', `Entry ${index}: its content, ${path}, is not served.`);
  const found = sha256Hex(payload);
  if (found !== payloadHash)
    throw new LedgerError('payload-mismatch', `Entry ${index}: what is served as ${path} was changed; it hashes to ${found}.`);
  await writer.write(path, payload);
}

function entryAt(index: number, bytes: Uint8Array) {
  try {
    return parseEntry(bytes);
  } catch (error) {
    throw new LedgerError('malformed-entry', `Entry ${index}: ${(error as Error).message}`, { cause: error });
  }
}

function isCovered(level: number, index: bigint, before: bigint): boolean {
  return (index + 1n) << BigInt(8 * (level + 1)) <= before;
}

/** Partial tiles of sizes that the folder's checkpoint has left behind. */
export async function dropStalePartials(folder: string, writer: FolderWriter, { size }: AuthenticTiles): Promise<void> {
  const levels = ['entries' as const, ...Array.from({ length: levelCount(size) }, (_, level) => level)];
  for (const level of levels) {
    const root = `tile/${level}`;
    const current = [...edgeOf(level, size)].map((tile) => tilePath(tile));
    for (const name of await readdir(join(folder, root), { recursive: true })) {
      const path = `${root}/${name.replaceAll('\\', '/')}`;
      if (/\.p\/[0-9]+$/.test(path) && !current.includes(path)) await writer.remove(path);
    }
  }
}

function* edgeOf(level: number | 'entries', size: bigint) {
  const hashes = size >> BigInt(level === 'entries' ? 0 : 8 * level);
  if ((hashes & 255n) > 0n) yield { level, index: hashes >> 8n, width: Number(hashes & 255n) };
}
