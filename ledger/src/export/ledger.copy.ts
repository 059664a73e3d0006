import { setTimeout as sleep } from 'node:timers/promises';
import { type Statement, parseStatement } from '@coferment/consortium';
import { sha256Hex } from '@coferment/crypto';
import { parseEntry } from '../entry/index.js';
import { LedgerError } from '../errors/index.js';
import { openCheckpoint, parseVkey } from '../note/index.js';
import { provenPrefix } from '../proof/index.js';
import { MerkleTree, leafHash } from '../tree/index.js';
import { WitnessRoll } from '../witness/witness.roll.js';
import { writeFolder } from './export.folder.js';
import { writeLedger } from './ledger.export.js';
import { openedObjects, publishedObjects } from './named.objects.js';
import { ObjectFolder } from './object.folder.js';

const PAGE = 256;
/** A log gives up waiting for its witnesses after ten seconds. */
const WITNESSES_WITHIN_S = 12;
const ASK_AGAIN_MS = 250;

/** The newest checkpoint, with the cosignatures that it has by now. */
export interface ServedCheckpoint {
  /** A C2SP signed note. */
  readonly checkpoint: string;
  /** Whether witnesses are still being waited for. */
  readonly pending: boolean;
  /** The newest that has as many as the charter asks for; empty when there is none, or nobody to wait for. */
  readonly witnessed: string;
}

/** A ledger that is served by somebody else, over whatever wire. Nothing that it gives is believed. */
export interface LedgerSource {
  checkpoint(): Promise<ServedCheckpoint>;
  /** Entries from `start` on, at least one and at most `limit` while there are any. */
  entries(start: number, limit: number): Promise<readonly { entry: Uint8Array; payload: Uint8Array }[]>;
  /**
   * The bytes of an object from `offset` on.
   * @throws LedgerError 'missing-resource' where there is none for this reader
   */
  object(digest: string, offset: number): AsyncIterable<Uint8Array>;
  /** RFC 9162 §2.1.4: that the tree of `newer` entries begins with that of `older`. */
  consistencyProof(older: number, newer: number): Promise<readonly Uint8Array[]>;
}

export interface LedgerContent {
  /** The signed checkpoint over exactly these entries. */
  checkpoint: string;
  entries: Uint8Array[];
  payloads: Uint8Array[];
}

export interface CopiedLedger {
  entries: number;
  /** Newest entries that were left out because too few witnesses have cosigned them so far. */
  uncosigned: number;
  objects: number;
  /** Digests of uploads and decryption shares that were asked for and that the source does not have for this reader. */
  absent: string[];
}

/** Told of every page of entries, and of every object. */
export type CopyProgress = (done: number, all: number, what: 'entries' | 'objects' | 'seconds of waiting for witnesses') => void;

export interface CopyOptions {
  /** Also the uploads and decryption shares that published sums were opened from: many times larger than all the rest. */
  withObjects?: boolean;
  progress?: CopyProgress;
}

/**
 * The ledger up to its present checkpoint, whole: what came is what the checkpoint commits to.
 * @param logVkey the log's key, from elsewhere than the source
 * @throws LedgerError 'no-known-signature', 'bad-signature', 'missing-resource', 'root-mismatch', 'malformed-entry', 'payload-mismatch'
 */
export async function readLedger(source: LedgerSource, logVkey: string): Promise<LedgerContent> {
  return readUpTo((await source.checkpoint()).checkpoint, source, logVkey, () => {});
}

/**
 * A checkpoint that witnesses have cosigned: the newest, if they do so in time, or else the newest of before. What is handed on should carry as many signatures as
 * the charter asks for, wherever there is such a thing.
 */
async function cosignedCheckpoint(source: LedgerSource, progress: CopyProgress): Promise<{ checkpoint: string; newest: string }> {
  const startedMs = performance.now();
  for (;;) {
    const { checkpoint: newest, pending, witnessed } = await source.checkpoint();
    const waitedS = (performance.now() - startedMs) / 1000;
    if (!pending || waitedS > WITNESSES_WITHIN_S) return { checkpoint: witnessed === '' ? newest : witnessed, newest };
    progress(Math.floor(waitedS), WITNESSES_WITHIN_S, 'seconds of waiting for witnesses');
    await sleep(ASK_AGAIN_MS);
  }
}

async function readUpTo(checkpoint: string, source: LedgerSource, logVkey: string, progress: CopyProgress): Promise<LedgerContent> {
  const { size, root } = openCheckpoint(checkpoint, [parseVkey(logVkey)]);
  const content: LedgerContent = { checkpoint, entries: [], payloads: [] };
  while (content.entries.length < size) {
    const start = content.entries.length;
    const page = await source.entries(start, Math.min(PAGE, Number(size) - start));
    if (page.length === 0 || start + page.length > size)
      throw new LedgerError(
        'missing-resource',
        `The ledger has ${size} entries by its checkpoint, but ${page.length} came from ${start} on.`,
      );
    for (const { entry, payload } of page) {
      content.entries.push(entry);
      content.payloads.push(payload);
    }
    progress(content.entries.length, Number(size), 'entries');
  }
  const received = new MerkleTree(content.entries.map(leafHash));
  if (Buffer.compare(received.root(), root) !== 0) {
    const proven = await provenPrefix(received, { size, root }, (older) => source.consistencyProof(Number(older), Number(size)));
    throw new LedgerError(
      'root-mismatch',
      `Entry ${proven} is not the one that the signed checkpoint over ${size} entries commits to, or the log cannot prove it; those before it are. ` +
        'Keep the checkpoint and tell the other members.',
    );
  }
  requirePayloads(content);
  return content;
}

/** A statement that is not the one its entry names cannot be read on: it would be written under another name, and the auditor would only miss it. */
function requirePayloads({ entries, payloads }: LedgerContent): void {
  for (const [index, payload] of payloads.entries()) {
    const { payloadHash } = parseEntry(entries[index]!);
    if (sha256Hex(payload) === payloadHash) continue;
    throw new LedgerError(
      'payload-mismatch',
      `The statement of entry ${index} came as other bytes than were signed: its SHA-256 is ${sha256Hex(payload)}, and the entry is over ${payloadHash}.`,
    );
  }
}

export function statementsOf({ payloads }: LedgerContent): Statement[] {
  return payloads.map(parseStatement);
}

/**
 * Writes the ledger in the layout that the auditor's command reads, with the objects from which models can be recomputed. What is written may still be forged by
 * whoever has the log's key: `coferment-audit verify` finds that. Written again into the same folder, it keeps the objects that are there and goes on with one
 * that was interrupted.
 */
export async function copyLedger(
  source: LedgerSource,
  logVkey: string,
  folder: string,
  { withObjects = false, progress = () => {} }: CopyOptions = {},
): Promise<CopiedLedger> {
  const { checkpoint, newest } = await cosignedCheckpoint(source, progress);
  const uncosigned = Math.max(sizeOf(newest, logVkey) - sizeOf(checkpoint, logVkey), 0);
  const content = await readUpTo(checkpoint, source, logVkey, progress);
  const statements = statementsOf(content);
  const needed = publishedObjects(statements);
  const wanted = withObjects ? openedObjects(statements) : [];
  const all = needed.length + wanted.length;
  const objects = new ObjectFolder(folder);
  let done = 0;
  for (const digest of needed) {
    await objects.keep(digest, (offset) => source.object(digest, offset));
    progress(++done, all, 'objects');
  }
  const absent: string[] = [];
  for (const digest of wanted) {
    try {
      await objects.keep(digest, (offset) => source.object(digest, offset));
    } catch (error) {
      // Whoever recomputes is told what is missing; that is no reason to keep all the rest from them.
      if (!(error instanceof LedgerError && error.code === 'missing-resource')) throw error;
      absent.push(digest);
    }
    progress(++done, all, 'objects');
  }
  await writeLedger(writeFolder(folder), { ...content, policy: policyOf(statements, logVkey) });
  return { entries: content.entries.length, uncosigned, objects: all - absent.length, absent };
}

function sizeOf(checkpoint: string, logVkey: string): number {
  return Number(openCheckpoint(checkpoint, [parseVkey(logVkey)]).size);
}

/** What the ledger says of its own witnesses: a beginning for whoever writes down a policy, and proof of nothing. */
function policyOf(statements: readonly Statement[], logVkey: string): string {
  const roll = new WitnessRoll(parseVkey(logVkey).name);
  for (const statement of statements) roll.follow(statement);
  return roll.policyText(logVkey);
}
