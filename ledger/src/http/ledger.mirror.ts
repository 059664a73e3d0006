import { CHECKPOINT_PATH, POLICY_PATH, readFolder } from '../export/index.js';
import { LedgerError } from '../errors/index.js';
import { encodeVkey, openCheckpoint } from '../note/index.js';
import { type WitnessPolicy, parsePolicy } from '../policy/index.js';
import { AuthenticTiles, type ReadFile } from '../tiles/index.js';
import { type SeenCheckpoint, seenCheckpoint } from '../witness/index.js';
import { type CopyProgress, copyEntries, copyHashTiles, dropStalePartials } from './entry.copy.js';
import { writeEvidence } from './evidence.folder.js';
import { FolderWriter } from './folder.writer.js';
import { brokenSuccession } from './history.succession.js';
import { type ObjectCopy, copyObjects } from './object.copy.js';

/** Where a ledger is served. Nothing that it gives is believed. */
export interface ServedLedger {
  readonly read: ReadFile;
  /** Writes the resource into a file. @returns its SHA-256 (hex) and length; undefined where there is nothing */
  save(path: string, file: string): Promise<{ sha256: string; bytes: number } | undefined>;
}

export interface MirrorOptions {
  /** Whom to believe, from outside. Without it, the policy that came with the folder's first copy. */
  readonly policy?: WitnessPolicy | undefined;
  readonly withObjects: boolean;
  readonly maxBytes: number;
  readonly progress: (progress: CopyProgress) => void;
  readonly now: () => Date;
}

interface Sizes {
  readonly origin: string;
  /** Entries that the folder had before. */
  readonly before: bigint;
  /** Entries that the server's checkpoint is over. */
  readonly served: bigint;
}

export type MirrorOutcome =
  | (Sizes & { readonly kind: 'copied'; readonly keyChecked: boolean; readonly bytes: number; readonly objects: ObjectCopy | undefined })
  /** The server shows an older checkpoint; as far as it goes, it is the same log. */
  | (Sizes & { readonly kind: 'rolled-back'; readonly evidence: string })
  /** The server's log is not the folder's one continued. */
  | (Sizes & {
      readonly kind: 'contradicts';
      readonly evidence: string;
      /** The first that differs; undefined when the server has no tiles to its checkpoint, so that nothing can be compared. */
      readonly entry: bigint | undefined;
      readonly folderSays: string;
      readonly serverSays: string;
    })
  /** The server signs a larger log, and what it serves does not show that it is the folder's one continued. */
  | (Sizes & { readonly kind: 'unproven'; readonly evidence: string; readonly reason: string });

const text = (bytes: Uint8Array | undefined) => bytes && Buffer.from(bytes).toString('utf8');

/**
 * Brings a folder up to what a server has. What is there already is replaced only by what extends it: tiles are immutable, and the checkpoint is written last, once everything
 * it claims is in the folder and verified. An interrupted copy goes on where it was.
 * @throws LedgerError when the server's files are not what its checkpoint commits to; FetchError when they cannot be had; Error for a person to read
 */
export async function mirrorLedger(served: ServedLedger, folder: string, options: MirrorOptions): Promise<MirrorOutcome> {
  const writer = new FolderWriter(folder, options.maxBytes);
  const read = readFolder(folder);
  const servedPolicy = text(await served.read(POLICY_PATH));
  const policy = options.policy ?? logsOnly(text(await read(POLICY_PATH)) ?? servedPolicy);
  const note = await latest(served, policy);
  const seen = seenCheckpoint(note, policy.logs);
  const { origin } = openCheckpoint(note, policy.logs);
  await writer.prepare();
  const mine = text(await read(CHECKPOINT_PATH));
  const last = mine === undefined ? undefined : ownCheckpoint(mine, origin, policy);
  const sizes: Sizes = { origin, before: last?.size ?? 0n, served: seen.size };

  const broken = last && (await brokenSuccession({ seen: last, read }, { seen, read: served.read }));
  if (last && broken) {
    const difference = broken.kind === 'contradicts' ? broken.difference : undefined;
    const halves = { origin, first: last.note, second: seen.note, ...(difference && { difference: difference.entry }) };
    const evidence = await writeEvidence(writer, halves, options.now());
    await writer.finish();
    switch (broken.kind) {
      case 'rolled-back':
        return { ...sizes, kind: 'rolled-back', evidence };
      case 'unproven':
        return { ...sizes, kind: 'unproven', evidence, reason: broken.reason };
      case 'contradicts': {
        const { first = '', second = broken.reason } = difference ?? {};
        return { ...sizes, kind: 'contradicts', evidence, entry: difference?.entry.index, folderSays: first, serverSays: second };
      }
    }
  }

  const tiles = await AuthenticTiles.open(served.read, seen);
  await copyHashTiles(tiles, writer, sizes.before);
  await copyEntries({ tiles, served, folder: read, writer, before: sizes.before, progress: options.progress });
  await writePolicy(writer, servedPolicy, policy);
  if (text(await read(CHECKPOINT_PATH)) !== mine)
    throw new Error(`"${folder}" was changed by somebody else in the meantime; fetch again, one at a time`);
  // A server that hides cosignatures must not take away those that the folder has.
  if (mine === undefined || seen.size > sizes.before || signatures(note, policy) >= signatures(mine, policy))
    await writer.write(CHECKPOINT_PATH, new TextEncoder().encode(note));
  await dropStalePartials(folder, writer, tiles);
  const objects = options.withObjects ? await copyObjects({ served, folder: read, writer, policy, progress: options.progress }) : undefined;
  await writer.finish();
  return { ...sizes, kind: 'copied', keyChecked: options.policy !== undefined, bytes: writer.written, objects };
}

async function latest(served: ServedLedger, policy: WitnessPolicy): Promise<string> {
  const note = text(await served.read(CHECKPOINT_PATH));
  if (note === undefined) throw new Error(`there is no file "${CHECKPOINT_PATH}" at this address; is a ledger served there?`);
  const { note: opened, size } = openCheckpoint(note, [...policy.logs, ...policy.witnesses]);
  if (!policy.isMetBy(opened.verifiedBy))
    throw new Error(
      `the checkpoint over ${size} entries is not cosigned as the policy asks (quorum "${policy.quorum}"); wait for its witnesses and fetch again`,
    );
  return note;
}

function ownCheckpoint(note: string, origin: string, policy: WitnessPolicy): SeenCheckpoint {
  let own: ReturnType<typeof openCheckpoint>;
  try {
    own = openCheckpoint(note, policy.logs);
  } catch (error) {
    throw new Error(`the checkpoint in the folder is refused (${(error as Error).message}); fetch into another folder`, { cause: error });
  }
  if (own.origin !== origin)
    throw new Error(`the folder holds the ledger "${own.origin}", the server has "${origin}"; fetch into another folder`);
  return seenCheckpoint(note, policy.logs);
}

/** The log's own policy says who its key is. Whom else to ask for is the reader's to say, and the log's witnesses change. */
function logsOnly(content: string | undefined): WitnessPolicy {
  if (content === undefined)
    throw new Error(`the server has no ${POLICY_PATH}, so the log's key is not known; give it with --key or --policy`);
  return { ...parsePolicy(content), quorum: undefined, isMetBy: () => true };
}

/** Witnesses change, so the server's policy replaces the folder's; but never under another key of the log. */
async function writePolicy(writer: FolderWriter, served: string | undefined, policy: WitnessPolicy): Promise<void> {
  const vkeys = policy.logs.map(encodeVkey);
  const content = served ?? [...vkeys.map((vkey) => `log ${vkey}`), 'quorum none', ''].join('\n');
  if (!parsePolicy(content).logs.some((key) => vkeys.includes(encodeVkey(key))))
    throw new LedgerError('malformed-policy', `The server's ${POLICY_PATH} names another key of the log than the one that counts here.`);
  await writer.write(POLICY_PATH, new TextEncoder().encode(content));
}

function signatures(note: string, policy: WitnessPolicy): number {
  return openCheckpoint(note, [...policy.logs, ...policy.witnesses]).note.verifiedBy.length;
}
